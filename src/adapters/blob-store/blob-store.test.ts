import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlobStore } from '#ports/blob-store.ts'
import { blobStore } from './blob-store.ts'

let folder: string
let blobs: BlobStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipway-blobs-'))
  blobs = blobStore({ root: join(folder, 'blobs'), tmp: join(folder, 'tmp') })
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const digestOf = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')
const pathOf = (digest: string) => join(folder, 'blobs/sha256', digest.slice(0, 2), digest)

describe('the blob store', () => {
  test('gives back what was put, under its digest', async () => {
    const parts = [randomBytes(70_000), randomBytes(3), new Uint8Array()]
    const content = Buffer.concat(parts)

    const put = await blobs.put(parts)

    expect(put).toEqual({ digest: digestOf(content), size: content.length })
    expect(Buffer.concat(await Array.fromAsync(blobs.read(put.digest))).equals(content)).toBe(true)
    expect(await blobs.size(put.digest)).toBe(content.length)
    expect(await blobs.verify(put.digest)).toBe('sound')
    expect((await stat(pathOf(put.digest))).mode & 0o777).toBe(0o444)
  })

  test('takes the same content many times at once, and leaves nothing temporary', async () => {
    const puts = await Promise.all(Array.from({ length: 20 }, () => blobs.put([Buffer.from('same')])))

    expect(new Set(puts.map(({ digest }) => digest)).size).toBe(1)
    expect(await readdir(join(folder, 'tmp'))).toEqual([])
  })

  test('keeps nothing of content that is not what it should be', async () => {
    const wanted = digestOf(Buffer.from('wanted'))

    await expect(blobs.put([Buffer.from('other')], wanted)).rejects.toMatchObject({ code: 'BLOB_DIGEST_MISMATCH' })

    expect(await blobs.size(wanted)).toBeUndefined()
    expect(await blobs.size(digestOf(Buffer.from('other')))).toBeUndefined()
    expect(await readdir(join(folder, 'tmp'))).toEqual([])
  })

  test('keeps nothing of content that breaks off', async () => {
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('begin')
      throw new Error('the line went dead')
    }

    await expect(blobs.put(broken())).rejects.toThrow('the line went dead')

    expect(await readdir(join(folder, 'tmp'))).toEqual([])
  })

  test('tells missing, damaged and sound apart', async () => {
    const { digest } = await blobs.put([Buffer.from('content')])
    expect(await blobs.verify('0'.repeat(64))).toBe('missing')
    await expect(Array.fromAsync(blobs.read('0'.repeat(64)))).rejects.toMatchObject({ code: 'BLOB_MISSING' })

    await chmod(pathOf(digest), 0o644)
    await writeFile(pathOf(digest), 'damaged')

    expect(await blobs.verify(digest)).toBe('damaged')
  })

  test.for(['../../etc/passwd', 'abc', 'A'.repeat(64), ''])('takes %j for no digest', async (digest) => {
    await expect(blobs.verify(digest)).rejects.toThrow('is no digest')
  })
})
