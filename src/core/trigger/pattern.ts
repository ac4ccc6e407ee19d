import { patternInvalid } from '#core/known/workflow.ts'

/**
 * A branch, tag or path pattern, ready to match: `*` any text without `/`, `**` any text, `?` and `+` repeat what stands
 * before them (0–1 and 1–∞ times), `[a-z]` one of, `\` makes the next character plain, a leading `!` takes back.
 */
export interface Pattern {
  readonly source: string
  readonly isNegative: boolean
  readonly parts: readonly Part[]
}

/** One step of the match. `many` may be taken any number of times, `skip` jumps ahead without reading. */
type Part =
  | { readonly kind: 'one'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'many'; readonly accepts: (character: string) => boolean }
  | { readonly kind: 'skip'; readonly over: number }

const any = () => true
const noSlash = (character: string) => character !== '/'

/** Reads a pattern; throws `PATTERN_INVALID`. */
export function compilePattern(source: string): Pattern {
  const isNegative = source.startsWith('!')
  const parts: Part[] = []
  let rest = isNegative ? source.slice(1) : source
  while (rest !== '') {
    const { read, made } = nextPart(rest, { previous: parts.at(-1), source })
    if (made === 'optional' || made === 'repeated') repeatLast(parts, made)
    else parts.push(...made)
    rest = rest.slice(read)
  }
  return { source, isNegative, parts }
}

/** Whether a name fits the pattern as a whole; the leading `!` plays no part. Takes time `name × pattern` at most. */
export function matchesPattern(pattern: Pattern, name: string): boolean {
  const { parts } = pattern
  let states = reach(parts, [0])
  for (const character of name) {
    const next: number[] = []
    for (const state of states) {
      const part = parts[state]
      if (part === undefined || part.kind === 'skip' || !part.accepts(character)) continue
      next.push(part.kind === 'many' ? state : state + 1)
    }
    if (next.length === 0) return false
    states = reach(parts, next)
  }
  return states.has(parts.length)
}

/**
 * Whether a list of include patterns takes one of the names: the last pattern that matches a name decides about it.
 * An empty list takes everything.
 */
export function includesSome(patterns: readonly Pattern[], names: readonly string[]): boolean {
  return patterns.length === 0 || names.some((name) => isTaken(patterns, name))
}

/**
 * Whether a list of ignore patterns leaves none of the names over. Here `!` does not take back: a name is ignored when
 * any pattern says so, and `!x` says so of everything but x. An empty list ignores nothing.
 */
export function ignoresAll(patterns: readonly Pattern[], names: readonly string[]): boolean {
  if (patterns.length === 0) return false
  return names.every((name) => patterns.some((pattern) => matchesPattern(pattern, name) !== pattern.isNegative))
}

function isTaken(patterns: readonly Pattern[], name: string): boolean {
  const last = patterns.findLast((pattern) => matchesPattern(pattern, name))
  return last !== undefined && !last.isNegative
}

/** All places that can be reached without reading a character. */
function reach(parts: readonly Part[], from: readonly number[]): Set<number> {
  const found = new Set<number>()
  const open = [...from]
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (found.has(state)) continue
    found.add(state)
    const part = parts[state]
    if (part?.kind === 'many') open.push(state + 1)
    if (part?.kind === 'skip') open.push(state + 1, state + 1 + part.over)
  }
  return found
}

interface Reading {
  readonly previous: Part | undefined
  readonly source: string
}

function nextPart(
  rest: string,
  { previous, source }: Reading,
): { read: number; made: readonly Part[] | 'optional' | 'repeated' } {
  if (rest.startsWith('**/'))
    return {
      read: 3,
      made: [{ kind: 'skip', over: 3 }, one(any), { kind: 'many', accepts: any }, one((c) => c === '/')],
    }
  if (rest.startsWith('**')) return { read: 2, made: [{ kind: 'many', accepts: any }] }
  const first = String.fromCodePoint(rest.codePointAt(0) ?? 0)
  if (first === '*') return { read: 1, made: [{ kind: 'many', accepts: noSlash }] }
  if (first === '?' && previous !== undefined) return { read: 1, made: 'optional' }
  if (first === '+' && previous !== undefined) return { read: 1, made: 'repeated' }
  if (first === '[') return readClass(rest, source)
  if (first !== '\\') return { read: first.length, made: [one((c) => c === first)] }
  if (rest.length === 1)
    throw patternInvalid({ pattern: source, problem: 'a character is missing after the backslash' })
  const plain = String.fromCodePoint(rest.codePointAt(1) ?? 0)
  return { read: 1 + plain.length, made: [one((c) => c === plain)] }
}

function one(accepts: (character: string) => boolean): Part {
  return { kind: 'one', accepts }
}

/** `x?` may be skipped, `x+` is one x and then any number of them. `*?` and `*+` mean `*`. */
function repeatLast(parts: Part[], how: 'optional' | 'repeated'): void {
  const last = parts.at(-1)
  if (last === undefined || last.kind !== 'one') return
  if (how === 'repeated') parts.push({ kind: 'many', accepts: last.accepts })
  else parts.splice(-1, 1, { kind: 'skip', over: 1 }, last)
}

/** `[CB]at`, `[0-9]`: letters, digits and ranges of them, as GitHub allows. */
function readClass(rest: string, source: string): { read: number; made: readonly Part[] } {
  const end = rest.indexOf(']')
  if (end < 0) throw patternInvalid({ pattern: source, problem: 'the bracket [ is not closed' })
  const body = rest.slice(1, end)
  if (body === '') throw patternInvalid({ pattern: source, problem: 'the brackets [] are empty' })
  const ranges: (readonly [string, string])[] = []
  for (let index = 0; index < body.length; index++) {
    const from = body.charAt(index)
    const to = body.charAt(index + 1) === '-' ? body.charAt(index + 2) : from
    if (!/^[A-Za-z0-9]$/.test(from) || !/^[A-Za-z0-9]$/.test(to) || to < from) {
      throw patternInvalid({
        pattern: source,
        problem: `brackets take letters, digits and ranges of them, found "${body}"`,
      })
    }
    ranges.push([from, to])
    if (to !== from || body.charAt(index + 1) === '-') index += 2
  }
  return { read: end + 1, made: [one((c) => ranges.some(([from, to]) => c >= from && c <= to))] }
}
