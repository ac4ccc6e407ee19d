import { KnownError } from '#core/errors.ts'
import { compilePattern, matchesPattern } from '#core/trigger/pattern.ts'

/** Longest pattern that is read. */
const patternLengthMax = 512

/**
 * Whether a ref may come to an environment with this `from`. An empty list admits all. Patterns are those of `on.push` in a
 * workflow, read in order, a leading `!` takes back. A pattern without `refs/` means branches, unless it looks like a version
 * (`v*.*.*`, `1.2.*`): then it means tags only, so that nobody reaches production by calling a branch `v9.9.9`.
 */
export function admitsRef(from: readonly string[], ref: string): boolean {
  if (from.length === 0) return true
  let admits = from.every((pattern) => pattern.startsWith('!'))
  for (const source of from) {
    const pattern = compilePattern(fullPattern(source))
    if (matchesPattern(pattern, ref)) admits = !pattern.isNegative
  }
  return admits
}

/** What is wrong with a pattern of `from`, or undefined. */
export function refPatternProblem(source: string): string | undefined {
  if (source.length > patternLengthMax) return `it is longer than ${patternLengthMax} characters`
  if (source === '!' || source.split('/').includes('..') || source.startsWith('/')) return 'no ref has such a name'
  try {
    compilePattern(fullPattern(source))
    return undefined
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return 'it cannot be read (patterns know * ** ? + [a-z] and a leading !)'
  }
}

/** `main`, `v1.2.3`, `refs/pull/7/merge`: a ref as people say it. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '')
}

function fullPattern(source: string): string {
  const isNegative = source.startsWith('!')
  const body = isNegative ? source.slice(1) : source
  const kind = isVersionPattern(body) ? 'refs/tags/' : 'refs/heads/'
  return `${isNegative ? '!' : ''}${body.startsWith('refs/') ? '' : kind}${body}`
}

function isVersionPattern(pattern: string): boolean {
  return /^v[\d*[]/.test(pattern) || /^[\d*[][^/]*\.[\d*[]/.test(pattern)
}
