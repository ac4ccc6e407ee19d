import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { orderOf } from '../rig/runner.ts'

const MIB = 1024 * 1024
const BLOCKS = 16
const BLOCK_BYTES = 16 * MIB
/** A process of Node with this program has some 90 MiB before the first call. */
const PEAK_BYTES_MAX = 200 * MIB

let root: string
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'shipway-memory-'))
})
afterAll(() => rmSync(root, { recursive: true }))

/** The most memory that a process ever had. */
function peakBytes(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(line?.[1]) * 1024
}

test('a cache of 256 MiB goes in and out in little memory', { tags: ['slow'] }, async (context) => {
  if (process.platform !== 'linux') context.skip('peak memory is read from /proc')
  const order = orderOf({ steps: [], github: { repository: 'a/b', ref: 'refs/heads/main' } }, join(root, 'job'), root)
  const program = join(import.meta.dirname, '../rig/service-process.ts')
  const child = spawn(process.execPath, [program, JSON.stringify(order)], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  const { url, token } = JSON.parse(first.toString()) as { url: string; token: string }
  const call = async (method: string, message: object): Promise<Record<string, string>> => {
    const response = await fetch(new URL(`/twirp/github.actions.results.api.v1.CacheService/${method}`, url), {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: JSON.stringify(message),
    })
    expect(response.status).toBe(200)
    return (await response.json()) as Record<string, string>
  }

  const { signed_upload_url: upload } = await call('CreateCacheEntry', { key: 'k', version: 'v' })
  const ids = Array.from({ length: BLOCKS }, (_, index) => Buffer.from(`block-${index}`).toString('base64'))
  const waiting = ids.values()
  const send = async (): Promise<void> => {
    for (const id of waiting) {
      const target = `${upload}&comp=block&blockid=${encodeURIComponent(id)}`
      expect((await fetch(target, { method: 'PUT', body: Buffer.alloc(BLOCK_BYTES, id) })).status).toBe(201)
    }
  }
  await Promise.all([send(), send(), send()])
  const list = `<BlockList>${ids.map((id) => `<Latest>${id}</Latest>`).join('')}</BlockList>`
  expect((await fetch(`${upload}&comp=blocklist`, { method: 'PUT', body: list })).status).toBe(201)
  await call('FinalizeCacheEntryUpload', { key: 'k', version: 'v', size_bytes: String(BLOCKS * BLOCK_BYTES) })
  const found = await call('GetCacheEntryDownloadURL', { key: 'k', restore_keys: [], version: 'v' })
  const download = await fetch(found['signed_download_url'] ?? '')
  let bytes = 0
  for await (const chunk of download.body ?? []) bytes += (chunk as Uint8Array).length

  expect(bytes).toBe(BLOCKS * BLOCK_BYTES)
  expect(peakBytes(child.pid ?? 0)).toBeLessThan(PEAK_BYTES_MAX)
  const ended = once(child, 'exit')
  child.stdin.end()
  expect(await ended).toEqual([0, null])
})
