import type { Json } from '#core/json.ts'
import { formatText } from './format.ts'
import { resultLengthMax, valueDepthMax } from './limits.ts'
import { EvaluationProblem } from './problem.ts'
import { renderJson } from './render-json.ts'
import { toText } from './text.ts'
import { isEqual, isScalar, toUpper } from './value.ts'

/** A function that an expression can call, after its arguments were evaluated. */
export type ExpressionFunction = (args: readonly Json[]) => Json

/** The functions that every expression has, by lower-case name; the parser has already checked the argument counts. */
export const builtinFunctions: ReadonlyMap<string, ExpressionFunction> = new Map([
  ['case', caseOf],
  ['contains', ([search = null, item = null]) => contains(search, item)],
  ['endswith', ([text = null, end = null]) => compareTexts(text, end, (a, b) => a.endsWith(b))],
  ['format', ([text = null, ...values]) => formatText(toText(text), values.map(toText))],
  ['fromjson', ([text = null]) => fromJson(toText(text))],
  ['join', ([list = null, separator = ',']) => join(list, isScalar(separator) ? toText(separator) : ',')],
  ['startswith', ([text = null, start = null]) => compareTexts(text, start, (a, b) => a.startsWith(b))],
  ['tojson', ([value = null]) => renderJson(value)],
] satisfies readonly (readonly [string, ExpressionFunction])[])

function caseOf(args: readonly Json[]): Json {
  for (let index = 0; index + 1 < args.length; index += 2) {
    const predicate = args[index]
    if (typeof predicate !== 'boolean') throw new EvaluationProblem('case predicate must evaluate to a boolean value')
    if (predicate) return args[index + 1] ?? null
  }
  return args.at(-1) ?? null
}

function contains(search: Json, item: Json): boolean {
  if (isScalar(search)) return isScalar(item) && toText(search).toLowerCase().includes(toText(item).toLowerCase())
  return Array.isArray(search) && search.some((element: Json) => isEqual(item, element))
}

function compareTexts(text: Json, part: Json, test: (text: string, part: string) => boolean): boolean {
  return isScalar(text) && isScalar(part) && test(toUpper(toText(text)), toUpper(toText(part)))
}

function join(list: Json, separator: string): string {
  if (isScalar(list)) return toText(list)
  if (!Array.isArray(list)) return ''
  const texts = list.map((item: Json) => toText(item))
  const length = texts.reduce((sum, text) => sum + text.length + separator.length, 0)
  if (length > resultLengthMax) throw new EvaluationProblem(`the text is longer than ${resultLengthMax} characters`)
  return texts.join(separator)
}

function fromJson(text: string): Json {
  if (text.trim() === '') throw new EvaluationProblem('fromJSON was given an empty text')
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch (error) {
    throw new EvaluationProblem(`fromJSON cannot read its text as JSON (${(error as Error).message})`, { cause: error })
  }
  if (isDeeperThan(value, valueDepthMax))
    throw new EvaluationProblem(`the JSON is nested more than ${valueDepthMax} levels deep`)
  return value
}

/** Level by level, so that a hostile value cannot exhaust the stack. */
function isDeeperThan(value: Json, levels: number): boolean {
  let level = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true
    level = level.flatMap((item) => (isScalar(item) ? [] : Object.values(item)))
  }
  return false
}
