import { beforeAll, describe } from 'vitest'
import { deployDriverConformance } from '../conformance/deploy-driver.ts'
import { blueGreenStage } from '../rig/blue-green-stage.ts'
import { sharedDocker } from '../rig/docker.ts'
import type { DockerDaemon } from '../rig/docker.ts'
import { requireSystem } from '../rig/system.ts'

const missing = await requireSystem(['docker.io', 'docker-compose', 'debootstrap', 'nginx'])
describe.skipIf(missing !== undefined)(`blue-green behind nginx ${missing ?? ''}`, () => {
  let docker: DockerDaemon
  beforeAll(async () => {
    const daemon = await sharedDocker()
    if ('missing' in daemon) throw new Error(daemon.missing)
    docker = daemon
  })

  deployDriverConformance('a compose project that nginx switches', () => blueGreenStage(docker))
})
