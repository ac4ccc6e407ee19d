import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { registryOf } from '#core/container/docker-argv.ts'
import type { ContainerSpec } from '#core/container/spec.ts'
import { imageUnavailable, registryLoginFailed } from '#core/known/container.ts'
import type { JobRun } from '../job-run.ts'
import type { Docker } from './docker.ts'
import { tellDocker } from './told-command.ts'

/** As GitHub's runner (actions-semantics 114). */
const PULL_TRIES = 3

/**
 * Makes sure that an image is on this machine. One that is there is taken as it is, so that a run needs no network and an image
 * that somebody has built here is found, unless `containers.pull` says always; otherwise it is pulled, with the output in the log.
 */
export async function ensureImage(
  job: JobRun,
  docker: Docker,
  { image, credentials }: Pick<ContainerSpec, 'image' | 'credentials'>,
): Promise<void> {
  if (job.order.pullsAlways !== true) {
    const args = ['image', 'inspect', '--format', '.', image]
    const found = await job.control.stoppable((stop) => docker.ask(args, { stop }))
    if (found.exitCode === 0) return
  }
  const config = credentials === undefined ? undefined : await logIn(job, docker, { image, credentials })
  try {
    await pull(job, docker, { image, config })
  } finally {
    if (config !== undefined) rmSync(config, { recursive: true, force: true })
  }
}

/** Logs in with a configuration of its own, so that the user's stays as it is. Returns its folder. */
async function logIn(
  job: JobRun,
  docker: Docker,
  { image, credentials }: { readonly image: string; readonly credentials: NonNullable<ContainerSpec['credentials']> },
): Promise<string> {
  const config = mkdtempSync(join(job.order.paths.temp, '_docker_config_'))
  const registry = registryOf(image)
  const target = registry === undefined ? [] : [registry]
  const args = ['--config', config, 'login', '--username', credentials.username, '--password-stdin', ...target]
  const answer = await job.control.stoppable((stop) => docker.ask(args, { stop, input: credentials.password }))
  if (answer.exitCode === 0) return config
  rmSync(config, { recursive: true, force: true })
  throw registryLoginFailed({ registry: registry ?? 'of Docker', output: job.redactor.redact(answer.stderr) })
}

async function pull(
  job: JobRun,
  docker: Docker,
  { image, config }: { readonly image: string; readonly config: string | undefined },
): Promise<void> {
  const args = [...(config === undefined ? [] : ['--config', config]), 'pull', image]
  let output = ''
  for (let attempt = 1; attempt <= PULL_TRIES; attempt += 1) {
    job.print([`##[command]docker pull ${image}`])
    const { exitCode, tail } = await tellDocker(job, docker, args)
    if (exitCode === 0) return
    output = tail
    if (attempt < PULL_TRIES) await pause(job, attempt)
  }
  throw imageUnavailable({ image, tries: PULL_TRIES, output })
}

/** A little longer after each try. */
async function pause(job: JobRun, attempt: number): Promise<void> {
  await job.control.stoppable(async (stop) => {
    await delay(job.world.timings.pullRetryMs * attempt, undefined, { signal: stop.signal }).catch(() => {})
    stop.check()
  })
}
