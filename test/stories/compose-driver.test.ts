import { beforeAll, describe } from 'vitest'
import { driverPowers } from '#core/deployment/driver-power.ts'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { composeStage } from '../rig/compose-stage.ts'
import { besideEachOther, sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { requireSystem } from '../rig/system.ts'

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap'])
describe.skipIf(missing !== undefined)(`docker-compose ${missing ?? ''}`, besideEachOther, () => {
  let docker: DockerDaemon
  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
  })

  deployDriverConformance('a compose project on this machine', () => composeStage(docker), driverPowers.compose, {
    isConcurrent: true,
  })
})
