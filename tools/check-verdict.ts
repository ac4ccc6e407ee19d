import { stripVTControlCharacters } from 'node:util'

/** One checker of `npm run check`. */
export interface Check {
  readonly name: string
  readonly argv: readonly string[]
  /** Where its output says how many files it looked at. */
  readonly looked: RegExp
  /** What it prints that nobody needs to read. */
  readonly chatter?: RegExp
}

export interface Verdict {
  readonly name: string
  /** What to show. */
  readonly output: string
  readonly files: number
  /** Why it is red. */
  readonly problem?: string
}

/** Green needs both: exit status 0, and at least one file that was looked at. */
export function judge(check: Check, end: { readonly code: number | string; readonly text: string }): Verdict {
  const files = Number(check.looked.exec(stripVTControlCharacters(end.text))?.[1] ?? 0)
  const output = (check.chatter === undefined ? end.text : end.text.replaceAll(check.chatter, '')).trim()
  const verdict = { name: check.name, output, files }
  if (end.code !== 0) return { ...verdict, problem: `red (exit ${end.code})` }
  return files === 0 ? { ...verdict, problem: 'it found nothing to check' } : verdict
}
