// oxlint-disable no-control-regex -- control characters are what it looks for
/** A colour sequence (kept by who wants colours), any other control sequence or control character. Tabs and line ends are none. */
export const controlSequences =
  /(\x1b\[[0-9;:]*m)|\x1b\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|\x1b[PX^_][^\x1b\n]*(?:\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g
// oxlint-enable no-control-regex

/** Longest name of a job, step or run that is kept, in characters: a script of one line is the name of its step. */
export const nameLengthMax = 500

/**
 * What a file or an event calls something, as one line that no terminal takes for a command: names stand in every screen, in logs and in lists,
 * and a title may be the message of a stranger's commit.
 */
export function plainLine(text: string): string {
  // A name does not get longer than this by what is taken out of it, and a text of a megabyte is no reason to wait.
  const line = text
    .slice(0, 4 * nameLengthMax)
    .replace(controlSequences, '')
    .replace(/\s+/g, ' ')
    .trim()
  return line.length <= nameLengthMax ? line : `${line.slice(0, nameLengthMax - 1)}…`
}
