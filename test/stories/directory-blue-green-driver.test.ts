import { afterAll, beforeAll, describe } from 'vitest'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { describeWithBusybox } from '../rig/busybox.ts'
import { colourStage } from '../rig/colour-stage.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

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

  describeWithBusybox((shell) =>
    deployDriverConformance(
      'processes in two colours with nothing but busybox',
      () => colourStage(undefined, {}, shell),
      undefined,
      { isConcurrent: true },
    ),
  )
})
