import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { reportError } from '#core/errors.ts'
import { mountSmallDisk } from '../../test/rig/small-disk.ts'
import { openAgentClient } from './agent-client.ts'

const diskBytes = 512 * 1024
const pageBytes = 4096

test('a request that fails for want of room leaves no ticket that would be carried out later', async ({ skip }) => {
  const folder = mkdtempSync(join(tmpdir(), 'shipway-full-'))
  const refusals: string[] = []
  try {
    for (const pagesLeft of [0, 1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 30]) {
      const disk = await mountSmallDisk(join(folder, 'disk'), `size=${diskBytes}`)
      if (typeof disk === 'string') return skip(disk)
      await using _ = disk
      const home = join(folder, 'disk/home')
      writeFileSync(join(folder, 'disk/ballast'), Buffer.alloc(diskBytes - pagesLeft * pageBytes))
      const client = await openAgentClient(home, {})
      await using _client = client

      const submitted = client.submit({ kind: 'cancel', subject: 'run_none' }, { priority: 'P2', requestedBy: 'ann' })
      const refusal = await submitted.then(
        () => undefined,
        (error: unknown) => reportError(error).code,
      )

      if (refusal === undefined) continue
      refusals.push(refusal)
      expect(existsSync(join(home, 'inbox')) ? readdirSync(join(home, 'inbox')) : []).toEqual([])
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  expect(new Set(refusals)).toEqual(new Set(['HOME_DISK_FULL', 'STORE_DISK_FULL']))
})
