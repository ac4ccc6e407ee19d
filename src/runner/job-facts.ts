import { availableParallelism, release as osRelease, totalmem, version as osVersion } from 'node:os'
import type { JobOrder } from '#core/run/job-order.ts'
import { hookOf } from './job-hook.ts'
import type { JobRun } from './job-run.ts'

/** What "Set up job" says of every job. */
export function setUpLines(job: JobRun): readonly string[] {
  const { order } = job
  const where = order.leg.runsOn.length === 0 ? '' : ` for runs-on: ${order.leg.runsOn.join(', ')}`
  return [
    `Job "${order.leg.name}" of ${order.workflow.file}, attempt ${order.attempt}`,
    `Runner ${job.world.name} on ${String(job.runner['os'])} ${String(job.runner['arch'])}${where}`,
    `Commit ${order.source.sha} (${order.source.ref})`,
    `Workspace ${order.paths.workspace}`,
    ...permissionLines(order.permissions),
  ]
}

/** What one wants to know of a runner when a job goes wrong in it and nowhere else. Names of variables, never their values. */
export function runnerFacts(job: JobRun): readonly string[] {
  const { paths, leg, cancelTimeoutMinutes } = job.order
  const { interruptMs, terminateMs, outputGraceMs } = job.world.timings
  return [
    `Runner process ${process.pid}, Node ${process.version}, ${osVersion()} ${osRelease()}, ${availableParallelism()} processors, ${Math.round(totalmem() / 2 ** 20)} MiB`,
    `Memory of the runner: ${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB`,
    `Folders: temp ${paths.temp}, tools ${paths.toolCache}, actions ${paths.actions}, log ${paths.log}`,
    `Times: job ${leg.timeoutMinutes} min, after a cancel ${cancelTimeoutMinutes} min; SIGINT, ${interruptMs} ms, SIGTERM, ${terminateMs} ms, SIGKILL; output after the end ${outputGraceMs} ms`,
    `Inherited variables: ${Object.keys(job.machine.baseEnv).toSorted().join(' ')}`,
    `Hooks: ${[hookOf(job, 'started') ?? 'none', hookOf(job, 'completed') ?? 'none'].join(', ')}`,
  ]
}

/** As GitHub tells them; a file that says nothing leaves them to the repository's setting (actions-semantics 137). */
function permissionLines(permissions: JobOrder['permissions']): readonly string[] {
  if (permissions === undefined) return []
  const levels = Object.entries(permissions).map(([scope, level]) => `${scope}: ${level}`)
  return ['##[group]GITHUB_TOKEN Permissions', ...(levels.length === 0 ? ['none'] : levels), '##[endgroup]']
}
