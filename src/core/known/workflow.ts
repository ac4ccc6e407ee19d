import { KnownError } from '../errors.ts'

/** How much of a user's text is repeated in an error. */
const excerptLengthMax = 200

/** The text cannot be read as an expression: unknown name, missing bracket, too deep, too long. */
export function expressionInvalid(fact: { source: string; problem: string }): KnownError {
  return new KnownError({
    code: 'EXPRESSION_INVALID',
    kind: 'usage',
    message: `The expression "${excerpt(fact.source)}" is not valid: ${fact.problem}.`,
    hint: 'Check the file with `shipway lint`; texts in expressions stand in single quotes.',
  })
}

/** The expression was read, but evaluating it failed: bad JSON, a wrong format text, a result that is too large. */
export function expressionFailed(fact: { source: string; problem: string; cause?: unknown }): KnownError {
  return new KnownError({
    code: 'EXPRESSION_FAILED',
    kind: 'red',
    message: `The expression "${excerpt(fact.source)}" could not be evaluated: ${fact.problem}.`,
    cause: fact.cause,
  })
}

/** The `concurrency` of a workflow does not name a group, known only after its expressions were evaluated. */
export function concurrencyInvalid(fact: { workflow: string; problem: string; cause: unknown }): KnownError {
  return new KnownError({
    code: 'CONCURRENCY_INVALID',
    kind: 'usage',
    message: `The concurrency of the workflow "${fact.workflow}" cannot be used: ${fact.problem}.`,
    hint: 'Write a name, or { group: name, cancel-in-progress: true }.',
    cause: fact.cause,
  })
}

/** Inputs of `workflow_dispatch` that the workflow does not accept; every problem is in the details. */
export function inputsInvalid(fact: {
  workflow: string
  problems: readonly string[]
  known: readonly string[]
}): KnownError {
  const more = fact.problems.length > 1 ? ` (and ${fact.problems.length - 1} more)` : ''
  return new KnownError({
    code: 'INPUTS_INVALID',
    kind: 'usage',
    message: `The inputs do not fit the workflow "${fact.workflow}": ${fact.problems[0] ?? 'unknown problem'}${more}.`,
    hint: fact.known.length === 0 ? 'The workflow declares no inputs.' : `Declared inputs: ${fact.known.join(', ')}.`,
    details: fact.problems,
  })
}

/** A branch, tag or path pattern of a trigger that has no meaning, such as `[a-` without its end. */
export function patternInvalid(fact: { pattern: string; problem: string }): KnownError {
  return new KnownError({
    code: 'PATTERN_INVALID',
    kind: 'usage',
    message: `The pattern "${excerpt(fact.pattern)}" is not valid: ${fact.problem}.`,
    hint: 'Patterns know * ** ? + [a-z] and a leading !; a backslash makes the next character plain.',
  })
}

function excerpt(text: string): string {
  return text.length > excerptLengthMax ? `${text.slice(0, excerptLengthMax)}…` : text
}
