import { readFile, stat } from 'node:fs/promises'
import { fileUnreadable } from '#core/known/cli.ts'

/** Bytes of a file of a project that are read to look at it: what is larger is no workflow, and is told so without being read. */
const sizeMax = 16 * 1024 * 1024

/**
 * The text of a file that somebody else has put into the project. A pipe would never end, a device never be full: only plain files are read. Throws
 * FILE_UNREADABLE for them, and what the system says for a file that is not there.
 */
export async function readPlainFile(path: string): Promise<string> {
  const facts = await stat(path)
  const unreadable = (problem: string) => fileUnreadable({ flag: 'The file', path, problem })
  if (!facts.isFile()) throw unreadable('it is no plain file')
  if (facts.size > sizeMax) throw unreadable(`it has ${facts.size} bytes, and ${sizeMax} are allowed`)
  return readFile(path, 'utf8')
}
