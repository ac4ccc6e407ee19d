import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { colourStage } from '../rig/colour-stage.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { findProgram, requireSystem } from '../rig/system.ts'

const missing = await requireSystem(['nginx', 'openssh-server', 'openssh-client'])
describe.skipIf(missing !== undefined)(`processes behind nginx, over ssh ${missing ?? ''}`, () => {
  let sshd: SshServer
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd[Symbol.asyncDispose]())

  deployDriverConformance('processes in two colours on a host over ssh', () => colourStage(sshd), undefined, {
    isConcurrent: true,
  })
})

// The same on this machine, and with what Alpine and small devices have instead of the GNU tools: `npm run test:long`.
const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'
describe.skipIf(missing !== undefined || !isLong)(`processes behind nginx ${missing ?? '(npm run test:long)'}`, () => {
  deployDriverConformance('processes in two colours on this machine', () => colourStage(), undefined, {
    isConcurrent: true,
  })

  const busybox = findProgram('busybox')
  describe.skipIf(busybox === undefined)(`with busybox alone ${busybox ?? '(not installed)'}`, () => {
    let tools: string
    beforeAll(() => {
      tools = mkdtempSync(join(tmpdir(), 'shipway-busybox-'))
      execFileSync(busybox ?? 'busybox', ['--install', '-s', tools])
    })
    afterAll(() => rmSync(tools, { recursive: true }))

    const open = () => colourStage(undefined, {}, () => openLocalShell({ PATH: tools }))
    deployDriverConformance('processes in two colours with nothing but busybox', open, undefined, {
      isConcurrent: true,
    })
  })
})
