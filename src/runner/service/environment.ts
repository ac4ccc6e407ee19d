import type { JobRun, RunnerWorld } from '../job-run.ts'
import type { JobService } from './job-service.ts'

/** The address that only this machine reaches. */
const LOOPBACK = '127.0.0.1'

/** What of a job its service needs. */
export type ServedRun = Pick<JobRun, 'order' | 'redactor'> & {
  readonly world: Pick<RunnerWorld, 'now'>
  readonly commons: Pick<JobRun['commons'], 'service'>
}

/**
 * The variables that an action needs to talk to the artifact and cache services (actions-semantics 109). For actions
 * only: run steps do not get them. The first call starts the service; a job without such actions never pays for it.
 * `address` is where the service listens for this action: a container reaches its host elsewhere than on loopback.
 */
export async function serviceEnvironment(job: ServedRun, address: string = LOOPBACK): Promise<Record<string, string>> {
  job.commons.service ??= startService(job)
  const service = await job.commons.service
  const url = await service.listen(address)
  return {
    ACTIONS_RUNTIME_URL: url,
    ACTIONS_RUNTIME_TOKEN: service.token,
    ACTIONS_RESULTS_URL: url,
    ACTIONS_CACHE_URL: url,
    ACTIONS_CACHE_SERVICE_V2: 'True',
  }
}

/** Its code is loaded here, too: zip files and all. */
async function startService(job: ServedRun): Promise<JobService> {
  const { JobService } = await import('./job-service.ts')
  const service = new JobService(job.order, () => job.world.now())
  job.redactor.add(service.token)
  return service
}
