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
