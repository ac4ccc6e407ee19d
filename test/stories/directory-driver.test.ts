import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { directoryStage } from '../rig/driver-stage.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { findProgram, requireSystem } from '../rig/system.ts'

deployDriverConformance('a folder on this machine', () => directoryStage())

const missing = await requireSystem(['openssh-server', 'openssh-client'])
describe.skipIf(missing !== undefined)(`over ssh ${missing ?? ''}`, () => {
  let sshd: SshServer
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd[Symbol.asyncDispose]())

  deployDriverConformance('a folder on a host over ssh', () => directoryStage(sshd))
})

// What Alpine and small devices have instead of the GNU tools.
const busybox = findProgram('busybox')
describe.skipIf(busybox === undefined)(`with busybox alone ${busybox ?? '(not installed)'}`, () => {
  let tools: string
  beforeAll(() => {
    tools = mkdtempSync(join(tmpdir(), 'shipway-busybox-'))
    execFileSync(busybox ?? 'busybox', ['--install', '-s', tools])
  })
  afterAll(() => rmSync(tools, { recursive: true }))

  deployDriverConformance('a folder on a machine with nothing but busybox', () =>
    directoryStage(undefined, () => openLocalShell({ PATH: tools })),
  )
})
