import { displayWidth } from './display-width.ts'

/** A paragraph in lines of at most `width` columns, broken at spaces; a longer word stays whole. */
export function wrap(text: string, width: number, indent = ''): string {
  const lines: string[] = []
  for (const paragraph of text.split('\n')) {
    let line = ''
    for (const word of paragraph.split(/ +/)) {
      const next = line === '' ? word : `${line} ${word}`
      if (line !== '' && displayWidth(indent + next) > width) {
        lines.push(line)
        line = word
      } else line = next
    }
    lines.push(line)
  }
  return lines.map((line) => `${indent}${line}`.trimEnd()).join('\n')
}
