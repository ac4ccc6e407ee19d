import { stripVTControlCharacters } from 'node:util'
import { displayWidth, truncate } from './display-width.ts'

/** One column: how a row is shown to a person and how it is given to a program. */
export interface Column<Row> {
  /** Upper case, without spaces. */
  readonly title: string
  readonly screen: (row: Row) => string
  /** Full and exact: nothing truncated, times in RFC 3339. Absent: the text of the screen without its colours. */
  readonly pipe?: (row: Row) => string
  /** May be cut when the terminal is narrow; columns with the highest number are cut first. */
  readonly shrink?: number
}

const gap = 2
const widthMin = 6

/** Rows for a program: tab-separated, no header, no colour. A tab or a line end inside a value becomes a space. */
export function renderPiped<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const lines = rows.map((row) =>
    columns
      .map((column) => stripVTControlCharacters((column.pipe ?? column.screen)(row)).replaceAll(/[\t\r\n]+/g, ' '))
      .join('\t'),
  )
  return lines.map((line) => `${line}\n`).join('')
}

/** Rows for a person: a header, columns in line, cut to the width of the terminal. No borders. */
export function renderScreen<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  heading: (text: string) => string,
): string {
  const cells = rows.map((row) => columns.map((column) => column.screen(row).replaceAll(/[\t\r\n]+/g, ' ')))
  const wanted = columns.map((column, index) =>
    Math.max(displayWidth(column.title), ...cells.map((row) => displayWidth(row[index] ?? ''))),
  )
  const widths = fit(wanted, columns, width - gap * (columns.length - 1))
  const header = columns.map((column) => column.title)
  return [header, ...cells]
    .map((row, index) => `${renderLine(row, widths, index === 0 ? heading : undefined)}\n`)
    .join('')
}

function renderLine(cells: readonly string[], widths: readonly number[], heading?: (text: string) => string): string {
  const parts = cells.map((cell, index) => {
    const cut = truncate(cell, widths[index] ?? 0)
    const padding = index === cells.length - 1 ? '' : ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(cut)))
    return (heading === undefined ? cut : heading(cut)) + padding
  })
  return parts.join(' '.repeat(gap)).trimEnd()
}

/** Takes from the columns that may shrink, the most willing first and of these always from the widest, until the line fits. */
function fit<Row>(wanted: readonly number[], columns: readonly Column<Row>[], room: number): readonly number[] {
  const widths = [...wanted]
  let excess = widths.reduce((sum, value) => sum + value, 0) - room
  const levels = [...new Set(columns.map((column) => column.shrink ?? 0))].filter((level) => level > 0)
  for (const level of levels.toSorted((a, b) => b - a)) {
    const willing = columns.flatMap((column, index) => (column.shrink === level ? [index] : []))
    while (excess > 0) {
      const widest = willing.reduce((best, index) => ((widths[index] ?? 0) > (widths[best] ?? 0) ? index : best))
      if ((widths[widest] ?? 0) <= widthMin) break
      widths[widest] = (widths[widest] ?? 0) - 1
      excess -= 1
    }
  }
  return widths
}
