import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { tarStream } from './tar-stream.ts'
import type { TarEntry } from './tar-stream.ts'

const unusable = (found: string): Error => new Error(`blob ${found}`)

describe('tarStream', () => {
  test("the system's tar unpacks names of any length, empty and large files, modes and links", async () => {
    await using scratch = await folder()
    const blob = join(scratch.path, 'blob')
    const content = Buffer.alloc(700_001, 'shipway ')
    await writeFile(blob, content)
    const deep = `${'a long folder name/'.repeat(40)}file`
    const entries: TarEntry[] = [
      { kind: 'text', path: 'empty', mode: 0o444, text: '' },
      { kind: 'blob', path: 'large', mode: 0o555, size: content.length, file: blob, unusable },
      { kind: 'text', path: deep, mode: 0o600, text: 'found' },
      { kind: 'link', path: `${deep}.link`, mode: 0o600, target: deep },
      ...[99, 100, 101].map((length) => text('x'.repeat(length), `${length}`)),
      ...['-dash', ' space ', `quote's "q"`, 'back\\slash', 'ünï©ödé 🚢', '$(touch x)', '*', '...'].map((name) =>
        text(name, name),
      ),
    ]

    await unpack(scratch.path, entries)

    expect((await readFile(join(scratch.path, 'large'))).equals(content)).toBe(true)
    expect((await stat(join(scratch.path, 'large'))).mode & 0o777).toBe(0o555)
    expect((await stat(join(scratch.path, 'empty'))).size).toBe(0)
    expect(await readFile(join(scratch.path, deep), 'utf8')).toBe('found')
    expect((await stat(join(scratch.path, deep))).ino).toBe((await stat(join(scratch.path, `${deep}.link`))).ino)
    for (const entry of entries) {
      if (entry.kind === 'text') expect(await readFile(join(scratch.path, entry.path), 'utf8')).toBe(entry.text)
    }
  })

  test.for([
    { size: 3, found: 'damaged' },
    { size: 5, found: 'damaged' },
  ])('a blob of another length than $size ends the stream', async ({ size, found }) => {
    await using scratch = await folder()
    const file = join(scratch.path, 'blob')
    await writeFile(file, 'four')

    const stream = tarStream([{ kind: 'blob', path: 'a', mode: 0o444, size, file, unusable }], 0)

    await expect(Array.fromAsync(stream)).rejects.toThrow(`blob ${found}`)
  })

  test('a blob that is not there ends the stream', async () => {
    const stream = tarStream([{ kind: 'blob', path: 'a', mode: 0o444, size: 1, file: '/nowhere/at/all', unusable }], 0)

    await expect(Array.fromAsync(stream)).rejects.toThrow('blob missing')
  })
})

function text(path: string, content: string): TarEntry {
  return { kind: 'text', path, mode: 0o644, text: content }
}

async function unpack(path: string, entries: readonly TarEntry[]): Promise<void> {
  const tar = spawn('tar', ['-xpof', '-', '-C', path], { stdio: ['pipe', 'ignore', 'inherit'] })
  const ended = once(tar, 'exit')
  await pipeline(Readable.from(tarStream(entries, 1_700_000_000)), tar.stdin)
  expect(await ended).toEqual([0, null])
}

async function folder() {
  const path = await mkdtemp(join(tmpdir(), 'shipway-tar-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
