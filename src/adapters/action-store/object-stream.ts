import type { TreeEntry } from './tree-entry.ts'
import { ownSettingsOnly, startGit } from './git-call.ts'

const lineEnd = 0x0a

/** The contents of many entries of a repository, one after the other, from one git process. Throws with git's words when one is not there. */
export async function* readContents(
  gitDir: string,
  entries: readonly TreeEntry[],
): AsyncGenerator<{ readonly entry: TreeEntry; readonly content: Buffer }> {
  if (entries.length === 0) return
  const child = startGit({ gitDir, args: ['cat-file', '--batch'], env: ownSettingsOnly })
  child.stdin.on('error', () => undefined)
  child.stderr.resume()
  child.stdin.end(entries.map(({ oid }) => `${oid}\n`).join(''))
  let pending = Buffer.alloc(0)
  const parts = child.stdout[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  const more = async (): Promise<void> => {
    const next = await parts.next()
    if (next.done === true) throw new Error('git ended before all files were read')
    pending = Buffer.concat([pending, next.value])
  }
  try {
    for (const entry of entries) {
      while (!pending.includes(lineEnd)) await more()
      const end = pending.indexOf(lineEnd)
      const head = pending.toString('utf8', 0, end)
      const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(head)?.[1] ?? Number.NaN)
      if (size !== entry.size) throw new Error(`git says "${head}" of ${entry.path}`)
      pending = pending.subarray(end + 1)
      const chunks: Buffer[] = [pending]
      let length = pending.length
      while (length < size + 1) {
        const next = await parts.next()
        if (next.done === true) throw new Error('git ended before all files were read')
        chunks.push(next.value)
        length += next.value.length
      }
      const all = chunks.length === 1 ? pending : Buffer.concat(chunks)
      yield { entry, content: all.subarray(0, size) }
      pending = all.subarray(size + 1)
    }
  } finally {
    child.kill('SIGKILL')
  }
}
