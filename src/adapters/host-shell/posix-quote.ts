/**
 * A text as one word for a POSIX shell. `ssh` joins its arguments with spaces and hands them to the account's login
 * shell, so this is the only door through which data passes a command line. Quotes and backslashes stand outside of
 * the single quotes, because `fish` gives a backslash inside of them a meaning and POSIX shells do not.
 */
export function posixQuote(text: string): string {
  if (text.includes('\0')) throw new Error('Invariant broken: no argument of a process can hold a NUL')
  return `'${text.replaceAll(/['\\]/g, (character) => `'\\${character}'`)}'`
}
