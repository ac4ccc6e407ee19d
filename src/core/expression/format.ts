import { EvaluationProblem } from './problem.ts'
import { resultLengthMax } from './limits.ts'

/**
 * `format(text, …)`: `{0}` is the first value, doubled braces are plain ones. Anything else in braces is an error, as in
 * `actions/languageservices funcs/format.ts`, whose two messages are kept.
 */
export function formatText(text: string, values: readonly string[]): string {
  const parts: string[] = []
  let length = 0
  let from = 0
  const add = (part: string) => {
    length += part.length
    if (length > resultLengthMax) throw new EvaluationProblem(`the text is longer than ${resultLengthMax} characters`)
    parts.push(part)
  }
  for (const match of text.matchAll(/\{\{|\}\}|\{(\d+)\}|[{}]/g)) {
    add(text.slice(from, match.index))
    from = match.index + match[0].length
    add(replacementOf(match, { text, values }))
  }
  add(text.slice(from))
  return parts.join('')
}

function replacementOf(match: RegExpMatchArray, call: { text: string; values: readonly string[] }): string {
  const found = match[0]
  if (found === '{{') return '{'
  if (found === '}}') return '}'
  if (match[1] === undefined) throw new EvaluationProblem(`The following format string is invalid: ${call.text}`)
  const value = call.values[Number(match[1])]
  if (value === undefined) {
    throw new EvaluationProblem(
      `The following format string references more arguments than were supplied: ${call.text}`,
    )
  }
  return value
}
