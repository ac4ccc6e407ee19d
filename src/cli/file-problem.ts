/** What the system says of a file, in words. */
const problems: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  ELOOP: 'its links go in a circle',
}

/** Why a file cannot be read, as half a sentence; undefined for an error that is not the system's. */
export function fileProblem(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined
  return problems[String(error.code)] ?? String(error.code)
}

/** The same for a file that is to be written. */
const writeProblems: Readonly<Record<string, string>> = {
  ...problems,
  ENOENT: 'its folder does not exist',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'nothing may be written there',
  ENOSPC: 'the disk is full',
}

/** Why `file` cannot be written; undefined when something else has failed. What fails while it writes names no file. */
export function writeProblem(error: unknown, file: string): string | undefined {
  if (fileProblem(error) === undefined) return undefined
  const { code, path } = error as NodeJS.ErrnoException
  return path === undefined || path === file ? (writeProblems[String(code)] ?? String(code)) : undefined
}
