import { stripVTControlCharacters } from 'node:util'

/** East Asian wide forms and emoji that terminals draw two columns wide. */
const wide =
  /[\u{1100}-\u{115f}\u{2e80}-\u{303e}\u{3041}-\u{a4cf}\u{a960}-\u{a97c}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const narrow = /^[\x20-\x7e]*$/

let segmenter: Intl.Segmenter | undefined

/** What a reader takes for one character each. The segmenter reads tables when it is made: 5 ms that plain text does not need. */
function graphemes(text: string): Iterable<Intl.SegmentData> {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' })
  return segmenter.segment(stripVTControlCharacters(text))
}

/** Columns that a text takes on a terminal, colours not counted. */
export function displayWidth(text: string): number {
  if (narrow.test(text)) return text.length
  let columns = 0
  for (const { segment } of graphemes(text)) columns += wide.test(segment) ? 2 : 1
  return columns
}

/** The text if it fits, else its beginning and `…`; colours are dropped from a text that is cut. */
export function truncate(text: string, columnsMax: number): string {
  if (displayWidth(text) <= columnsMax) return text
  let kept = ''
  let columns = 0
  for (const { segment } of graphemes(text)) {
    const next = wide.test(segment) ? 2 : 1
    if (columns + next > columnsMax - 1) break
    kept += segment
    columns += next
  }
  return `${kept.trimEnd()}…`
}
