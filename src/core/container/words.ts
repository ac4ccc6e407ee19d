/**
 * Words of a command line as a shell would split them: blanks separate, single and double quotes keep together, a backslash
 * takes the next character as it is. Nothing is expanded. Undefined when a quote does not end.
 */
export function splitWords(text: string): readonly string[] | undefined {
  const words: string[] = []
  let word: string | undefined
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index] ?? ''
    if (character === "'" || character === '"') {
      const quoted = readQuoted(text, index)
      if (quoted === undefined) return undefined
      word = (word ?? '') + quoted.text
      index = quoted.end
    } else if (character === '\\' && index + 1 < text.length) {
      index += 1
      // A line that goes on: the backslash and the line end are nothing.
      if (text[index] !== '\n') word = (word ?? '') + (text[index] ?? '')
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + character
  }
  if (word !== undefined) words.push(word)
  return words
}

function readQuoted(text: string, start: number): { readonly text: string; readonly end: number } | undefined {
  const quote = text[start]
  let content = ''
  for (let index = start + 1; index < text.length; index += 1) {
    const character = text[index] ?? ''
    if (character === quote) return { text: content, end: index }
    const next = text[index + 1] ?? ''
    if (quote === '"' && character === '\\' && ['"', '\\', '$', '`'].includes(next)) {
      content += next
      index += 1
    } else content += character
  }
  return undefined
}
