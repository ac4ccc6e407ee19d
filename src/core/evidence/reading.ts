/**
 * A report that was read, or why it cannot be. A report that cannot be read proves nothing: whoever asks for evidence treats it
 * as red (design.md §4, "Unknown is an answer").
 */
export type Reading<Report> =
  | { readonly kind: 'read'; readonly report: Report }
  | { readonly kind: 'unreadable'; readonly problem: string }

/** Characters of one report that are looked at: a bigger one is refused, not cut. */
export const reportLengthMax = 64 * 1024 * 1024

/** A report that was read. */
export function read<Report>(report: Report): Reading<Report> {
  return { kind: 'read', report }
}

/** A report that cannot be read; `problem` is a phrase for people, without a full stop. */
export function unreadable(problem: string): { readonly kind: 'unreadable'; readonly problem: string } {
  return { kind: 'unreadable', problem }
}

/** What is wrong with the text of any report before its format counts; undefined when it may be read. */
export function textProblem(text: string): string | undefined {
  if (text.trim() === '') return 'it is empty'
  if (text.length > reportLengthMax) return `it has ${text.length} characters; ${reportLengthMax} are read at the most`
  return undefined
}
