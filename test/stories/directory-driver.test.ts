import { afterAll, beforeAll, describe } from 'vitest'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { describeWithBusybox } from '../rig/busybox.ts'
import { directoryStage } from '../rig/driver-stage.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

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

describeWithBusybox((shell) =>
  deployDriverConformance('a folder on a machine with nothing but busybox', () => directoryStage(undefined, shell)),
)
