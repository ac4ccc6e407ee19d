import { setTimeout as delay } from 'node:timers/promises'
import { serviceUnhealthy } from '#core/known/container.ts'
import type { JobRun } from '../job-run.ts'
import type { Docker } from './docker.ts'
import { inspectContainer } from './inspect.ts'
import type { ContainerFacts } from './inspect.ts'
import { tellDocker } from './told-command.ts'

/** GitHub waits 2, 4, … 32 seconds; asking the engine costs a hundredth of a second, so the first answers are worth more. */
const FIRST_MS = 100
const LAST_MS = 2000

/**
 * Waits until a service says that it is healthy; one without a health check is ready at once (actions-semantics 115). How
 * long it may take is the health check's own business, and in the end the job's time. Unhealthy: its output goes to the log
 * and the job fails.
 */
export async function waitUntilHealthy(
  job: JobRun,
  docker: Docker,
  service: { readonly name: string; readonly id: string; readonly image: string },
): Promise<ContainerFacts | undefined> {
  for (let pauseMs = FIRST_MS; ; pauseMs = Math.min(pauseMs * 1.5, LAST_MS)) {
    const facts = await job.control.stoppable((stop) => inspectContainer(docker, service.id, stop))
    if (facts === undefined || facts.health === 'none' || (facts.health === 'healthy' && facts.isRunning)) return facts
    if (facts.health !== 'starting' || !facts.isRunning) {
      const status = facts.isRunning
        ? `its health check says "${facts.healthOutput}"`
        : `it ended with exit code ${facts.exitCode}`
      job.print([`##[group]Output of the service "${service.name}"`])
      await tellDocker(job, docker, ['logs', service.id])
      job.print(['##[endgroup]'])
      throw serviceUnhealthy({ service: service.name, image: service.image, status: job.redactor.redact(status) })
    }
    await job.control.stoppable(async (stop) => {
      await delay(pauseMs, undefined, { signal: stop.signal }).catch(() => {})
      stop.check()
    })
  }
}
