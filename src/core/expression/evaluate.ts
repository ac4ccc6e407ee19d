import type { Json, JsonObject } from '#core/json.ts'
import { KnownError } from '#core/errors.ts'
import { expressionFailed, expressionInvalid } from '#core/known/workflow.ts'
import { builtinFunctions } from './builtin.ts'
import type { ExpressionFunction } from './builtin.ts'
import { filteredItemsMax, resultLengthMax } from './limits.ts'
import type { ComparisonStep, ExpressionNode } from './node.ts'
import { parseExpression } from './parse.ts'
import { EvaluationProblem } from './problem.ts'
import { toText } from './text.ts'
import { compare, isEqual, isScalar, isTruthy, toNumber } from './value.ts'

export type ScopeFunction = ExpressionFunction

/**
 * What an expression may see. A context that is not in `contexts` does not exist there (GitHub gives each place of a
 * file its own list): using it is an error, so pass an empty object for a context that has no values. Names of contexts
 * and functions are found without case; so are keys, except those of `env`, which is case-sensitive as on Linux.
 */
export interface Scope {
  readonly contexts: Readonly<Record<string, Json>>
  /** Status functions (`statusFunctions`) and `hashFiles`, by any spelling of their names. */
  readonly functions?: Readonly<Record<string, ScopeFunction>>
}

/**
 * The value of an expression, given without `${{ }}`; blank text is null. Throws `EXPRESSION_INVALID` when it cannot be
 * read or names something that the scope does not have, `EXPRESSION_FAILED` when its evaluation fails.
 * Numbers may be NaN or infinite, as in GitHub's own evaluator.
 */
export function evaluateExpression(source: string, scope: Scope): Json {
  const { tree, contexts, functions } = parseExpression(source)
  if (tree === undefined) return null
  const evaluation: Evaluation = {
    contexts: lowerNames(scope.contexts),
    functions: lowerNames(scope.functions ?? {}),
    filtered: new WeakSet(),
  }
  for (const [key, name] of contexts) {
    if (!evaluation.contexts.has(key))
      throw expressionInvalid({ source, problem: `Unrecognized named-value: '${name}'` })
  }
  for (const [key, name] of functions) {
    if (!builtinFunctions.has(key) && !evaluation.functions.has(key)) {
      throw expressionInvalid({ source, problem: `Unrecognized function: '${name}'` })
    }
  }
  try {
    return valueOf(tree, evaluation)
  } catch (error) {
    if (error instanceof KnownError) throw error
    if (error instanceof EvaluationProblem || error instanceof RangeError) {
      throw expressionFailed({ source, problem: error.message, cause: error })
    }
    throw error
  }
}

interface Evaluation {
  readonly contexts: ReadonlyMap<string, Json>
  readonly functions: ReadonlyMap<string, ScopeFunction>
  /** Lists that `*` made: a key on one of them is applied to each item. */
  readonly filtered: WeakSet<object>
}

function lowerNames<T>(record: Readonly<Record<string, T>>): Map<string, T> {
  return new Map(Object.entries(record).map(([name, value]) => [name.toLowerCase(), value]))
}

function valueOf(node: ExpressionNode, evaluation: Evaluation): Json {
  switch (node.kind) {
    case 'literal':
      return node.value
    case 'context':
      return evaluation.contexts.get(node.name.toLowerCase()) ?? null
    case 'index':
      return indexInto(valueOf(node.target, evaluation), valueOf(node.index, evaluation), evaluation)
    case 'filter':
      return itemsOf(valueOf(node.target, evaluation), evaluation)
    case 'call':
      return call(
        node.name,
        node.args.map((arg) => valueOf(arg, evaluation)),
        evaluation,
      )
    case 'not':
      return !isTruthy(valueOf(node.operand, evaluation))
    case 'and':
    case 'or':
      return firstDeciding(node, evaluation)
    case 'compare':
      return node.rest.reduce(
        (left, step) => comparisonOf(left, step, valueOf(step.operand, evaluation)),
        valueOf(node.first, evaluation),
      )
  }
}

/** `&&` and `||` give the operand that decided, and evaluate nothing after it. */
function firstDeciding(node: ExpressionNode & { kind: 'and' | 'or' }, evaluation: Evaluation): Json {
  let value: Json = null
  for (const operand of node.operands) {
    value = valueOf(operand, evaluation)
    if (isTruthy(value) === (node.kind === 'or')) return value
  }
  return value
}

function comparisonOf(left: Json, step: ComparisonStep, right: Json): boolean {
  switch (step.operator) {
    case '==':
      return isEqual(left, right)
    case '!=':
      return !isEqual(left, right)
    case '<':
      return compare(left, right) < 0
    case '>':
      return compare(left, right) > 0
    case '<=':
      return isEqual(left, right) || compare(left, right) < 0
    case '>=':
      return isEqual(left, right) || compare(left, right) > 0
  }
}

function call(name: string, args: readonly Json[], evaluation: Evaluation): Json {
  const key = name.toLowerCase()
  const implementation = evaluation.functions.get(key) ?? builtinFunctions.get(key)
  if (implementation === undefined) throw new Error(`Invariant broken: function ${name} was not checked`)
  const value = implementation(args)
  if (typeof value === 'string' && value.length > resultLengthMax) {
    throw new EvaluationProblem(`the text is longer than ${resultLengthMax} characters`)
  }
  return value
}

function indexInto(target: Json, index: Json, evaluation: Evaluation): Json {
  if (isScalar(target)) return null
  if (!evaluation.filtered.has(target)) return itemAt(target, index, evaluation) ?? null
  const found = (target as readonly Json[]).map((item) =>
    isScalar(item) ? undefined : itemAt(item, index, evaluation),
  )
  return markFiltered(
    found.filter((item) => item !== undefined),
    evaluation,
  )
}

/** The item under a key or number; undefined when there is none. */
function itemAt(target: Json, index: Json, evaluation: Evaluation): Json | undefined {
  if (Array.isArray(target)) {
    const position = Math.floor(toNumber(index))
    return position >= 0 ? (target as readonly Json[])[position] : undefined
  }
  if (!isScalar(index)) return undefined
  const caseSensitive = target === evaluation.contexts.get('env')
  return memberOf(target as JsonObject, toText(index), caseSensitive)
}

function memberOf(object: JsonObject, key: string, caseSensitive: boolean): Json | undefined {
  if (Object.hasOwn(object, key)) return object[key]
  if (caseSensitive) return undefined
  const lower = key.toLowerCase()
  const found = Object.keys(object).find(
    (candidate) => candidate.length === key.length && candidate.toLowerCase() === lower,
  )
  return found === undefined ? undefined : object[found]
}

/** `target.*`: the items of a list or mapping; of a filtered list, the items of its items. */
function itemsOf(target: Json, evaluation: Evaluation): Json {
  if (isScalar(target)) return markFiltered([], evaluation)
  const items: readonly Json[] = Object.values(target)
  if (!evaluation.filtered.has(target)) return markFiltered([...items], evaluation)
  return markFiltered(
    items.flatMap((item) => (isScalar(item) ? [] : Object.values(item))),
    evaluation,
  )
}

function markFiltered(items: Json[], evaluation: Evaluation): Json {
  if (items.length > filteredItemsMax) throw new EvaluationProblem(`* found more than ${filteredItemsMax} items`)
  evaluation.filtered.add(items)
  return items
}
