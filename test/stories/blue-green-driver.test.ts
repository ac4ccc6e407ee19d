import { beforeAll, describe } from 'vitest'
import { driverPowers } from '#core/deployment/driver-power.ts'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { blueGreenStage } from '../rig/blue-green-stage.ts'
import { besideEachOther, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { requireSystem } from '../rig/system.ts'

// The whole suite of drivers once more, for minutes: `npm test` must end well inside half an hour on two cores.
const isLong = process.env['SHIPWAY_TEST_LONG'] === 'yes'
const missing = isLong
  ? await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'nginx'])
  : '(takes minutes: npm run test:long)'
describe.skipIf(missing !== undefined)(`blue-green behind nginx ${missing ?? ''}`, besideEachOther, () => {
  let docker: DockerDaemon
  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
  })

  deployDriverConformance('a compose project that nginx switches', () => blueGreenStage(docker), driverPowers.compose, {
    isConcurrent: true,
  })
})
