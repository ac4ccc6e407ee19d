import type { Template } from './model.ts'

/**
 * The template of a text that may hold `${{ }}`. One expression alone keeps its type; text around expressions becomes
 * one `format('…', …)` call. The end of an expression is searched with quotes in mind, so `${{ '}}' }}` is one
 * (actions-semantics 25; `actions/languageservices template-reader.ts parseScalar`).
 */
export function splitExpression(text: string): { readonly template: Template; readonly problem?: string } {
  if (!text.includes('${{')) return { template: text }
  const pieces: string[] = []
  const sources: string[] = []
  let from = 0
  for (let start = text.indexOf('${{'); start >= 0; start = text.indexOf('${{', from)) {
    const end = endOfExpression(text, start + 3)
    if (end === undefined) return { template: text, problem: 'The expression is not closed: ${{ has no }} after it.' }
    const source = text.slice(start + 3, end - 2).trim()
    if (source === '') return { template: text, problem: 'An expression was expected between ${{ and }}.' }
    pieces.push(escapeFormat(text.slice(from, start)), `{${sources.length}}`)
    sources.push(source)
    from = end
  }
  const [only] = sources
  if (sources.length === 1 && only !== undefined && pieces[0] === '' && from === text.length) {
    return { template: literalText(only) ?? { $expr: only } }
  }
  if (sources.includes('insert')) {
    return { template: text, problem: 'The directive "insert" is allowed only where it is the whole key.' }
  }
  pieces.push(escapeFormat(text.slice(from)))
  return { template: { $expr: `format('${pieces.join('')}', ${sources.join(', ')})` } }
}

/** The text of an expression that is only a text, `${{ 'this way braces are written' }}`. */
function literalText(source: string): string | undefined {
  return /^'(?:[^']|'')*'$/.test(source) ? source.slice(1, -1).replaceAll("''", "'") : undefined
}

/** The place behind the closing braces; undefined when they are missing. */
function endOfExpression(text: string, from: number): number | undefined {
  let inText = false
  for (let index = from; index < text.length; index++) {
    if (text[index] === "'") inText = !inText
    else if (!inText && text[index] === '}' && text[index - 1] === '}' && index > from) return index + 1
  }
  return undefined
}

function escapeFormat(text: string): string {
  return text.replaceAll("'", "''").replaceAll('{', '{{').replaceAll('}', '}}')
}
