import { isJsonObject } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { matchFields } from './model.ts'
import type { MatcherModel, MatcherPattern } from './model.ts'

/** Matchers of one file, patterns of one matcher, characters of one expression. */
const matchersMax = 100
const patternsMax = 50
const expressionLengthMax = 10_000

export type ParsedMatchers =
  | { readonly kind: 'matchers'; readonly matchers: readonly MatcherModel[] }
  | { readonly kind: 'invalid'; readonly problem: string }

/** Reads the JSON of `add-matcher`. The problems are in the words of GitHub's runner. Never throws. */
export function parseMatchers(text: string): ParsedMatchers {
  try {
    return { kind: 'matchers', matchers: readMatchers(JSON.parse(text)) }
  } catch (error) {
    return { kind: 'invalid', problem: error instanceof Error ? error.message : String(error) }
  }
}

function readMatchers(document: unknown): readonly MatcherModel[] {
  const list = isJsonObject(document) ? document['problemMatcher'] : undefined
  if (!Array.isArray(list) || list.length === 0) throw new TypeError("There is no list 'problemMatcher'")
  if (list.length > matchersMax) throw new RangeError(`There are more than ${matchersMax} matchers`)
  const matchers = list.map((item: unknown) => readMatcher(isJsonObject(item) ? item : {}))
  const seen = new Set<string>()
  for (const { owner } of matchers) {
    if (seen.has(owner.toLowerCase())) throw new Error(`Duplicate owner name '${owner}'`)
    seen.add(owner.toLowerCase())
  }
  return matchers
}

function readMatcher(item: JsonObject): MatcherModel {
  const owner = textOf(item['owner'])
  if (owner === '') throw new Error('Owner must not be empty')
  const severity = textOf(item['severity'])
  if (!['', 'error', 'warning', 'notice'].includes(severity.toLowerCase())) {
    throw new Error(`Matcher '${owner}' contains unexpected default severity '${severity}'`)
  }
  const list = Array.isArray(item['pattern']) ? (item['pattern'] as readonly unknown[]) : []
  if (list.length === 0) throw new Error(`Matcher '${owner}' does not contain any patterns`)
  if (list.length > patternsMax) throw new RangeError(`Matcher '${owner}' has more than ${patternsMax} patterns`)
  const patterns = list.map((pattern, index) =>
    readPattern(isJsonObject(pattern) ? pattern : {}, { isFirst: index === 0, isLast: index === list.length - 1 }),
  )
  for (const field of matchFields) {
    if (patterns.filter((pattern) => pattern[field] !== undefined).length > 1) {
      throw new Error(`The property '${field}' is set twice`)
    }
  }
  if (patterns.every(({ message }) => message === undefined)) throw new Error("At least one pattern must set 'message'")
  return { owner, severity, patterns }
}

function readPattern(item: JsonObject, place: { readonly isFirst: boolean; readonly isLast: boolean }): MatcherPattern {
  const regexp = textOf(item['regexp'])
  if (regexp.length > expressionLengthMax) throw new RangeError(`An expression is longer than ${expressionLengthMax}`)
  const groups = (new RegExp(`${regexp}|`).exec('')?.length ?? 1) - 1
  const pattern: Record<string, number> = {}
  for (const field of matchFields) {
    const value = item[field]
    if (value === undefined || value === null) continue
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > groups) {
      throw new RangeError(`The property '${field}' is set to ${JSON.stringify(value)} which is out of range`)
    }
    pattern[field] = value
  }
  const loop = item['loop'] === true
  if (loop && (place.isFirst || !place.isLast)) {
    throw new Error("Only the last pattern in a multiline matcher may set 'loop'")
  }
  if (loop && pattern['message'] === undefined) throw new Error("The loop pattern must set 'message'")
  return { regexp, loop, ...pattern }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
