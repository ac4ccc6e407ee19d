/** `NAME=value`, one per line. */
export interface Assignment {
  readonly name: string
  readonly value: string
}

/**
 * Reads lines of `NAME=value`. Blank lines and lines that begin with `#` say nothing. A pair between double quotes may have
 * several lines, with `""` for a quote: a private key, for example. A string says what is wrong; it never holds a value.
 */
export function readAssignments(text: string): readonly Assignment[] | string {
  const found: Assignment[] = []
  const lines = text.split('\n')
  for (let index = 0; index < lines.length; index += 1) {
    let line = (lines[index] ?? '').trim()
    if (line === '' || line.startsWith('#')) continue
    const first = index + 1
    if (line.startsWith('"')) {
      while (!isClosed(line) && index + 1 < lines.length) line += `\n${lines[(index += 1)] ?? ''}`
      line = line.trimEnd()
      if (!isClosed(line)) return `the quote in line ${first} does not end`
      line = line.slice(1, -1).replaceAll('""', '"')
    }
    const equals = line.indexOf('=')
    if (equals <= 0) return `line ${first} is no NAME=value`
    found.push({ name: line.slice(0, equals).trim(), value: line.slice(equals + 1) })
  }
  return found
}

/** Whether a quoted line ends with the quote that it began with: an odd number of quotes stands at its end. */
function isClosed(line: string): boolean {
  const text = line.trimEnd()
  const quotes = text.length - text.replace(/"+$/, '').length
  return text.length > 1 && (quotes === text.length ? quotes % 2 === 0 : quotes % 2 === 1)
}

/** Words of a list, separated by line ends or commas. */
export function readList(text: string): readonly string[] {
  return text
    .split(/[\n,]/)
    .map((word) => word.trim())
    .filter((word) => word !== '')
}
