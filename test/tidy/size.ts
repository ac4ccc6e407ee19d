import type { SourceFile } from './source-file.ts'

/** Above these, a file or a function needs a reason in `size-ratchet.json`. */
export const fileLinesMax = 400
export const functionLinesMax = 70

/** Something long that may stay, for a reason, and may not grow. */
export interface Ratchet {
  readonly file: string
  readonly function?: string
  readonly lines: number
  readonly reason: string
}

/**
 * What is short may not become long; what is long for a stated reason may not grow; what has become short leaves the
 * list. What holds tests (it imports vitest) is not a function in this sense.
 */
export function checkSizes(files: readonly SourceFile[], ratchets: readonly Ratchet[]): readonly string[] {
  if (files.length === 0) throw new Error('There is no source file to check.')
  const found = files.flatMap((file) => longThings(file))
  const problems = found.flatMap((thing) => {
    const ratchet = ratchets.find((entry) => entry.file === thing.file && entry.function === thing.function)
    const where = nameOf(thing)
    if (ratchet === undefined)
      return [`${where} has ${thing.lines} lines (at most ${thing.max}): shorten it, or give a reason`]
    return thing.lines > ratchet.lines ? [`${where} grew from ${ratchet.lines} to ${thing.lines} lines`] : []
  })
  for (const ratchet of ratchets) {
    const stillLong = found.some((thing) => thing.file === ratchet.file && thing.function === ratchet.function)
    if (!stillLong) problems.push(`${nameOf(ratchet)} is short or gone: take it off the ratchet`)
    if (ratchet.reason.trim().length < 10) problems.push(`${nameOf(ratchet)} is on the ratchet without a reason`)
  }
  return problems
}

interface LongThing {
  readonly file: string
  readonly function?: string
  readonly lines: number
  readonly max: number
}

function longThings(file: SourceFile): readonly LongThing[] {
  const things: LongThing[] = []
  if (file.lines > fileLinesMax) things.push({ file: file.path, lines: file.lines, max: fileLinesMax })
  if (file.imports.some(({ specifier }) => specifier === 'vitest')) return things
  for (const { name, lines } of file.functions) {
    if (lines > functionLinesMax) things.push({ file: file.path, function: name, lines, max: functionLinesMax })
  }
  return things
}

function nameOf(thing: { readonly file: string; readonly function?: string }): string {
  return thing.function === undefined ? thing.file : `${thing.file}: ${thing.function}`
}
