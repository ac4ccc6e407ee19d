import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { evaluateTemplate, evaluateText } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { reportError } from '#core/errors.ts'
import type { KnownError } from '#core/errors.ts'
import { jobFolderUnusable } from '#core/known/runner.ts'
import { jobTimeoutMinutesMax } from '#core/plan/limits.ts'
import { Redactor } from '#core/redact/redactor.ts'
import type { JobOrder, JobResult } from '#core/run/job-order.ts'
import { inheritedEnvironment } from '#core/step/environment.ts'
import { phases } from '#core/step/phase.ts'
import type { Template } from '#core/workflow/model.ts'
import type { Docker } from './container/docker.ts'
import type { JobControl } from './job-control.ts'
import { JobLog } from './job-log.ts'
import { hookOf, runHook } from './job-hook.ts'
import { JobRun, TOLD_LENGTH_MAX } from './job-run.ts'
import type { Frame, RunnerWorld, StepEnd } from './job-run.ts'
import { GrowthNotice } from './growth-notice.ts'
import { keepEventFile } from './event-file.ts'
import { killOrphans, takeCensus } from './orphan.ts'
import type { Census } from './orphan.ts'
import { jobScope, stepScope } from './scope.ts'
import { machineHost } from './machine-host.ts'
import { runnerFacts, setUpLines } from './job-facts.ts'
import { reportPhase, runPhase } from './phase.ts'
import { restoreHistory, saveHistory } from './step-history.ts'
import { evaluateEnvironment } from './evaluate-environment.ts'
import { runJobSteps } from './step-loop.ts'
import { prepareActions } from './uses/prepare-actions.ts'

const MINUTE_MS = 60_000

/**
 * Executes one attempt of one job and returns how it ended. Everything that goes wrong becomes its result; only a bug of
 * the runner rejects. Steps and the growth of the log are reported on the way.
 */
export async function runJob(order: JobOrder, world: RunnerWorld, control: JobControl): Promise<JobResult> {
  const { runId, jobKey, attempt } = order
  const notice = new GrowthNotice(world.timings.logNoticeMs, (bytes) =>
    world.channel.send({ type: 'log', runId, jobKey, attempt, bytes }),
  )
  let logFailure: KnownError | undefined
  const onFailure = (error: KnownError) => {
    logFailure = error
    control.kill(error.message)
  }
  let log: JobLog | undefined
  try {
    log = JobLog.open(order.paths.log, () => world.now(), { onGrow: () => notice.grew(log?.size ?? 0), onFailure })
    const job = openJob(order, world, control, log)
    const result = await runOpenJob(job)
    log.close()
    return logFailure === undefined ? result : { ...result, conclusion: 'failure', reason: logFailure.message }
  } catch (error) {
    return { conclusion: 'failure', outputs: {}, annotations: [], reason: reportError(error).message }
  } finally {
    notice.flush()
    control.close()
    world.watchdog.guardMark(undefined)
  }
}

function openJob(order: JobOrder, world: RunnerWorld, control: JobControl, log: JobLog): JobRun {
  const { contexts, masks, paths } = order
  const redactor = new Redactor()
  for (const secret of [...Object.values(contexts.secrets), ...masks]) redactor.add(secret)
  const isAsked = (name: string) => isOn(contexts.secrets[name] ?? contexts.vars[name])
  const isDebug = isAsked('ACTIONS_STEP_DEBUG')
  const mark = `shipway_${randomUUID()}`
  return new JobRun({
    order,
    world,
    control,
    redactor,
    log,
    isDebug,
    isRunnerDebug: isAsked('ACTIONS_RUNNER_DEBUG'),
    mark,
    github: {
      ...contexts.github,
      job: order.job.id,
      workspace: paths.workspace,
      event_path: `${paths.temp}/_github_workflow/event.json`,
    },
    runner: {
      name: world.name,
      os: runnerOs[process.platform] ?? process.platform,
      arch: runnerArch[process.arch] ?? process.arch.toUpperCase(),
      temp: paths.temp,
      tool_cache: paths.toolCache,
      workspace: paths.workspace,
      environment: 'self-hosted',
      ...(isDebug ? { debug: '1' } : {}),
    },
    machine: machineHost({ ...inheritedEnvironment(world.environment), RUNNER_TRACKING_ID: mark }),
  })
}

/** GitHub's names for systems and processors. */
const runnerOs: Readonly<Record<string, string>> = { linux: 'Linux', darwin: 'macOS', win32: 'Windows' }
const runnerArch: Readonly<Record<string, string>> = { x64: 'X64', ia32: 'X86', arm64: 'ARM64', arm: 'ARM' }

function isOn(value: string | undefined): boolean {
  return value?.toLowerCase() === 'true'
}

async function runOpenJob(job: JobRun): Promise<JobResult> {
  job.world.watchdog.guardMark(job.mark)
  const timer = startJobTimer(job)
  const census = takeCensus()
  const frame = job.root
  try {
    try {
      if (await setUp(job, frame)) await runJobSteps(job, frame)
    } finally {
      await tearDown(job, frame)
    }
    return complete(job, frame, census)
  } finally {
    clearTimeout(timer)
    job.matchers[Symbol.dispose]()
    await (await job.commons.service)?.[Symbol.asyncDispose]()
  }
}

/** Job `timeout-minutes` cancels the job, as somebody would by hand (actions-semantics 54). */
function startJobTimer(job: JobRun): NodeJS.Timeout {
  const minutes = Math.min(job.order.leg.timeoutMinutes, jobTimeoutMinutesMax)
  const reason = `The job has exceeded the maximum execution time of ${minutes} minutes.`
  return setTimeout(() => {
    job.announce('error', reason)
    job.control.cancel(reason, job.order.cancelTimeoutMinutes * MINUTE_MS)
  }, minutes * MINUTE_MS)
}

/** Everything before the steps. False when the job cannot go on: not even a step that always runs could. */
async function setUp(job: JobRun, frame: Frame): Promise<boolean> {
  const set = await reportPhase(job, phases.setUpJob, async () => {
    prepareFolders(job)
    job.print(setUpLines(job))
    job.diagnose(() => runnerFacts(job))
    prepareVariables(job)
    restoreHistory(job, frame)
    await prepareActions(job, job.order.job.steps)
  })
  if (!isGreen(job, frame, set)) return false
  const hook = hookOf(job, 'started')
  const isReady =
    hook === undefined ||
    isGreen(job, frame, await runPhase(job, phases.setUpRunner, () => runHook(job, 'started', hook)))
  if (!mayHaveContainers(job)) return true
  // Steps that always run belong into the container, which there will not be.
  if (!isReady) return false
  return isGreen(job, frame, await runPhase(job, phases.initializeContainers, () => startContainers(job)))
}

/** Notes why the job is red, if it is. */
function isGreen(job: JobRun, frame: Frame, { outcome, reason }: StepEnd): boolean {
  if (outcome === 'success') return true
  frame.status = 'failure'
  job.reason ??= reason
  return false
}

/** Only a job that says so, or whose platform is an image, has containers, and only it loads that part. */
function mayHaveContainers(job: JobRun): boolean {
  const { container, services } = job.order.job
  return container !== undefined || services !== undefined || job.order.leg.image !== undefined
}

async function startContainers(job: JobRun): Promise<void> {
  const { JobContainers } = await import('./container/job-containers.ts')
  // A cancel ends it: nothing of the job has begun that could want to go on.
  await job.control.whileHolding(
    () => false,
    () => JobContainers.start(job),
  )
}

/** Everything after the steps, whatever became of the job: the containers go, and the owner of the machine has the last word. */
async function tearDown(job: JobRun, frame: Frame): Promise<void> {
  const { docker } = job.commons
  if (docker !== undefined) await runPhase(job, phases.stopContainers, () => stopContainers(job, docker))
  const hook = hookOf(job, 'completed')
  if (hook === undefined || job.control.isOver) return
  isGreen(job, frame, await runPhase(job, phases.completeRunner, () => runHook(job, 'completed', hook)))
}

async function stopContainers(job: JobRun, docker: Docker): Promise<void> {
  const { removeContainers } = await import('./container/job-containers.ts')
  await removeContainers(job, docker)
}

function prepareFolders(job: JobRun): void {
  const { workspace, temp, toolCache } = job.order.paths
  for (const path of [workspace, temp, toolCache]) {
    try {
      mkdirSync(path, { recursive: true, mode: 0o700 })
    } catch (cause) {
      throw jobFolderUnusable({ path, cause })
    }
  }
  keepEventFile(job)
}

/** `env` of workflow and job, then `defaults.run`: the job's win over the workflow's, key by key (11, 38). */
function prepareVariables(job: JobRun): void {
  const { workflow, job: model, extraEnv } = job.order
  Object.assign(job.env, extraEnv)
  Object.assign(job.env, evaluateEnvironment(workflow.env, jobScope(job, job.env)))
  Object.assign(job.env, evaluateEnvironment(model.env, jobScope(job, job.env)))
  const scope = jobScope(job, job.env)
  const evaluate = (template: Template | undefined) => (template === undefined ? '' : evaluateText(template, scope))
  const shell = evaluate(model.defaults?.shell) || evaluate(workflow.defaults?.shell)
  const workingDirectory = evaluate(model.defaults?.workingDirectory) || evaluate(workflow.defaults?.workingDirectory)
  job.defaults = { ...(shell === '' ? {} : { shell }), ...(workingDirectory === '' ? {} : { workingDirectory }) }
}

/** "Complete job": outputs, environment address, processes that stayed behind (58, 65). It shows as a step when it had something to say. */
function complete(job: JobRun, frame: Frame, census: Census): JobResult {
  job.stepNumber += 1
  const logStart = job.log.size
  const isRed = frame.status === 'failure'
  const outputs = evaluateOutputs(job, frame)
  const environmentUrl = evaluateUrl(job, frame)
  for (const { pid, command } of killOrphans(job.mark, census)) {
    job.print([`Terminate orphan process: pid (${pid}) (${command})`])
  }
  const logEnd = job.log.size
  if (logEnd > logStart) {
    const outcome = frame.status === 'failure' && !isRed ? 'failure' : 'success'
    const why = outcome === 'failure' && job.reason !== undefined ? { reason: job.reason } : {}
    const step = {
      number: job.stepNumber,
      ...phases.completeJob,
      status: 'done',
      durationMs: 0,
      logStart,
      logEnd,
    } as const
    job.reportStep({ ...step, outcome, conclusion: outcome, ...why })
  }
  const conclusion = job.control.isCancelled ? 'cancelled' : frame.status
  if (conclusion === 'failure') saveHistory(job)
  const reason = conclusion === 'success' ? undefined : (job.control.reason ?? job.reason)
  return {
    conclusion,
    outputs,
    annotations: job.annotations,
    ...(environmentUrl === undefined ? {} : { environmentUrl }),
    ...(reason === undefined ? {} : { reason: job.tellable(reason) }),
  }
}

/** Longest value of one output, in bytes (145). */
const OUTPUT_BYTES_MAX = 1024 * 1024

/** Empty outputs are left out; one that holds a secret is dropped with a warning (58). */
function evaluateOutputs(job: JobRun, frame: Frame): Record<string, string> {
  const outputs: Record<string, string> = {}
  const scope = stepScope(job, frame, job.env)
  for (const [name, template] of Object.entries(job.order.job.outputs ?? {})) {
    try {
      const value = toText(evaluateTemplate(template, scope))
      if (value === '') continue
      if (job.redactor.hides(value)) job.announce('warning', `Skip output '${name}' since it may contain secret.`)
      else if (Buffer.byteLength(value) > OUTPUT_BYTES_MAX) {
        job.announce('error', `Skip output '${name}': it is longer than ${OUTPUT_BYTES_MAX} bytes.`)
      } else outputs[name] = value
    } catch (error) {
      if (frame.status === 'success') frame.status = 'failure'
      job.reason ??= job.failStep(error).reason
    }
  }
  return outputs
}

function evaluateUrl(job: JobRun, frame: Frame): string | undefined {
  const template = job.order.leg.environment?.url
  if (template === undefined) return undefined
  try {
    const url = evaluateText(template, stepScope(job, frame, job.env))
    if (url === '') return undefined
    if (url.length > TOLD_LENGTH_MAX) {
      job.announce('warning', `Skip setting environment url: it is longer than ${TOLD_LENGTH_MAX} characters.`)
      return undefined
    }
    if (!job.redactor.hides(url)) return url
    job.announce('warning', "Skip setting environment url as environment 'url' may contain secret.")
  } catch (error) {
    job.announce('warning', `The address of the environment cannot be evaluated: ${reportError(error).message}`)
  }
  return undefined
}
