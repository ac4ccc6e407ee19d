import type { Json } from '#core/json.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { endMark, startMark } from '#core/step/action-mark.ts'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { isTruthy } from '#core/expression/value.ts'
import { reportError } from '#core/errors.ts'
import { stepValueInvalid } from '#core/known/runner.ts'
import type { Conclusion } from '#core/run/job-order.ts'
import type { StepModel } from '#core/workflow/model.ts'
import { BackgroundSteps } from './background-steps.ts'
import type { BackgroundEnd } from './background-steps.ts'
import { evaluateEnvironment } from './evaluate-environment.ts'
import { keepEventFile } from './event-file.ts'
import { holdForShell, shellOf } from './failure-shell.ts'
import { Stopped } from './job-control.ts'
import { scopedId, useOf, wantsPost } from './job-run.ts'
import type { Frame, JobRun, StepEnd, StepMemory, StepRecord } from './job-run.ts'
import { rememberStep } from './step-history.ts'
import { runScriptStep } from './script-step.ts'
import type { StepCall } from './script-step.ts'
import { stepScope } from './scope.ts'
import { holds, skipReason, stillHolds } from './step-condition.ts'
import { staticName, stepName } from './step-name.ts'
import { preConditionOf } from './uses/action-stage.ts'
import { runUsesStep } from './uses-step.ts'

const MINUTE_MS = 60_000
/** Longest delay that a timer of Node takes. */
const TIMER_MS_MAX = 2_147_483_647

/**
 * Runs the steps of the job one after the other, and reports each to the agent: first what actions do before all steps, then the steps, and at the end what
 * actions do after all steps, the last one first (actions-semantics 104, 149). Background steps run beside the others, and are over before the end (60).
 */
export async function runJobSteps(job: JobRun, frame: Frame): Promise<void> {
  const first = job.order.resume?.index ?? 0
  const steps = job.order.job.steps.slice(first)
  job.stage = 'pre'
  for (const step of steps) if (preConditionOf(job, step) !== undefined) await runJobStep(job, frame, step)
  job.stage = 'main'
  for (const { name, id, outcome, conclusion } of job.history) reportKept(job, { name, id, outcome, conclusion })
  const background = new BackgroundSteps(job, frame)
  for (const step of steps) {
    if (step.background === true) startBeside(job, frame, step, background)
    else await runJobStep(job, frame, step, { background })
  }
  await background.finish()
  job.stage = 'post'
  for (const step of frame.posts.toReversed()) if (wantsPost(frame, step)) await runJobStep(job, frame, step)
}

function startBeside(job: JobRun, frame: Frame, step: StepModel, background: BackgroundSteps): void {
  background.start(step, (fork, takePlace) => runJobStep(fork, frame, step, { takePlace }))
  job.stepNumber += 1
}

/** Runs the steps of a composite action. They show as one step of the job. */
export async function runInnerSteps(job: JobRun, frame: Frame, steps: readonly StepModel[]): Promise<void> {
  for (const step of steps) {
    const result = await runMarked(job, frame, step)
    recordResult(job, frame, step, result)
  }
}

/** One step between its marks, one that is skipped too. */
async function runMarked(job: JobRun, frame: Frame, step: StepModel): Promise<StepResult> {
  const id = scopedId(frame, step)
  const startedAt = performance.now()
  let isMarked = false
  const onStart = (name: string): void => {
    isMarked = true
    job.print([startMark({ id, name })])
  }
  const result = await runStep(job, frame, step, { onStart })
  const durationMs = isMarked ? Math.round(performance.now() - startedAt) : 0
  if (!isMarked) onStart(staticName(step))
  job.print([endMark({ id, ...result, durationMs })])
  return result
}

/** How a step is marked in reports, by stage. */
const marks = {
  pre: { id: '__pre_', name: 'Pre ' },
  main: { id: '', name: '' },
  post: { id: '__post_', name: 'Post ' },
} as const

/** How a step ended, with `continue-on-error` applied. */
interface StepResult extends StepEnd {
  readonly conclusion: Conclusion
  readonly outputs: Record<string, string>
}

/** A step that an earlier attempt has done shows with its result. */
function reportKept(job: JobRun, step: Pick<StepMemory, 'name' | 'id' | 'outcome' | 'conclusion'>): void {
  job.stepNumber += 1
  const reason = `Kept from attempt ${job.order.resume?.attempt ?? 0} of the job.`
  const place = { logStart: job.log.size, logEnd: job.log.size }
  job.reportStep({ number: job.stepNumber, ...step, status: 'done', durationMs: 0, reason, ...place })
}

/** What is special about a step. */
interface StepPlace {
  /** It runs beside the others: waits until it may begin. */
  readonly takePlace?: () => Promise<void>
  /** Those beside it, for a step that waits or cancels. */
  readonly background?: BackgroundSteps
}

async function runJobStep(job: JobRun, frame: Frame, step: StepModel, place: StepPlace = {}): Promise<BackgroundEnd> {
  job.stepNumber += 1
  job.control.beginStep()
  const logStart = job.log.size
  const startedAt = performance.now()
  const number = job.stepNumber
  const mark = marks[job.stage]
  const id = mark.id + step.id
  const use = frame.uses.get(step)
  let name = mark.name + (use?.name ?? staticName(step))
  const onStart = (evaluated: string) => {
    if (step.uses !== undefined) useOf(frame, step).name ??= evaluated
    name = mark.name + (use?.name ?? evaluated)
    job.reportStep({ number, id, name, status: 'running', logStart })
  }
  const result = await runStep(job, frame, step, { ...place, onStart })
  const isBeside = place.takePlace !== undefined
  if (!isBeside) recordResult(job, frame, step, result)
  if (result.conclusion === 'failure') {
    job.reason ??= `Step ${number} "${name}" failed: ${result.reason ?? 'no reason given'}`
  }
  job.reportStep({
    number,
    id,
    name,
    status: 'done',
    outcome: result.outcome,
    conclusion: result.conclusion,
    durationMs: Math.round(performance.now() - startedAt),
    ...(result.reason === undefined ? {} : { reason: result.reason }),
    logStart,
    logEnd: job.log.size,
  })
  if (isBeside) return { ...result, name }
  if (job.stage === 'main') {
    const index = job.order.job.steps.indexOf(step)
    const { outcome, conclusion, outputs } = result
    rememberStep(job, { index, id: step.id, name, outcome, conclusion, outputs })
  }
  const { offerShell, conclusion } = result
  const wantsShell = job.order.hasShell === true && conclusion === 'failure' && !job.control.isCancelled
  if (wantsShell && offerShell !== undefined) await holdForShell(job, name, offerShell)
  return { ...result, name }
}

/** Puts a result where later steps see it. Generated ids stay out of the `steps` context (actions-semantics 5). */
function recordResult(job: JobRun, frame: Frame, step: StepModel, result: StepResult): void {
  if (result.conclusion === 'failure' && !job.control.isCancelled) {
    frame.status = 'failure'
    if (result.reason !== undefined) frame.failure ??= result.reason
    if (result.offerShell !== undefined) frame.offerShell ??= result.offerShell
  }
  if (step.id.startsWith('__') || job.stage !== 'main') return
  const record: StepRecord = { outputs: result.outputs, outcome: result.outcome, conclusion: result.conclusion }
  frame.steps[step.id] = record
}

async function runStep(
  job: JobRun,
  frame: Frame,
  step: StepModel,
  { onStart, takePlace, background }: StepPlace & { readonly onStart: (name: string) => void },
): Promise<StepResult> {
  const outputs: Record<string, string> = {}
  if (job.control.isOver) {
    return { outcome: 'skipped', conclusion: 'skipped', reason: 'The job had to end before this step.', outputs }
  }
  const around = { ...job.env, ...frame.env }
  let ownEnv: Record<string, string> = {}
  let env = around
  try {
    // GitHub evaluates a step's env before its condition, which may use it.
    ownEnv = evaluateEnvironment(step.env, stepScope(job, frame, around))
    env = { ...around, ...ownEnv }
    if (!holds(job, frame, step, env)) return { ...skipReason(job, frame, step), conclusion: 'skipped', outputs }
  } catch (error) {
    onStart(staticName(step))
    return { ...job.failStep(error), conclusion: 'failure', outputs }
  }
  await takePlace?.()
  // One that had no place yet when the job was cancelled does not begin, whatever its condition.
  if (takePlace !== undefined && (job.control.isCancelled || job.control.isOver))
    return { ...cancelledEnd(job), conclusion: 'cancelled', outputs }
  const scope = stepScope(job, frame, env)
  onStart(stepName(step, scope))
  const condition = () => stillHolds(job, frame, step, env)
  const call = { step, frame, env, ownEnv, scope, outputs }
  const end = await job.control.whileHolding(condition, () => runWithinTime(job, call, background))
  return { offerShell: shellOf(job, call), ...end, outputs, conclusion: conclusionOf(job, step, end, scope) }
}

/** Runs the step, but not longer than its `timeout-minutes` (53). */
async function runWithinTime(job: JobRun, call: StepCall, background: BackgroundSteps | undefined): Promise<StepEnd> {
  const stopsBefore = job.control.stopCount
  let timer: NodeJS.Timeout | undefined
  let late: string | undefined
  try {
    const minutes = minutesOf(call)
    if (minutes !== undefined) {
      const expire = () => {
        late = `The action '${stepName(call.step, call.scope)}' has timed out after ${minutes} minutes.`
        job.control.endStep()
      }
      timer = setTimeout(expire, Math.min(minutes * MINUTE_MS, TIMER_MS_MAX))
    }
    keepEventFile(job)
    const end = await performSafely(job, call, background)
    if (late !== undefined) {
      job.announce('error', late)
      return { ...end, outcome: 'failure', reason: late }
    }
    return job.control.stopCount === stopsBefore ? end : cancelledStep(job, call.frame)
  } catch (error) {
    return job.failStep(error)
  } finally {
    clearTimeout(timer)
  }
}

async function performSafely(job: JobRun, call: StepCall, background: BackgroundSteps | undefined): Promise<StepEnd> {
  try {
    return await perform(job, call, background)
  } catch (error) {
    return error instanceof Stopped ? { outcome: 'failure', reason: 'The step was stopped.' } : job.failStep(error)
  }
}

function perform(job: JobRun, call: StepCall, background: BackgroundSteps | undefined): Promise<StepEnd> {
  const { control } = call.step
  if (control !== undefined && background !== undefined) return background.control(control)
  return call.step.uses === undefined ? runScriptStep(job, call) : runUsesStep(job, call, runInnerSteps)
}

/** A step that was stopped is cancelled, not failed, and neither is it green when its program took the signal for a wish to end well. */
function cancelledStep(job: JobRun, frame: Frame): StepEnd {
  if (frame.depth === 0 && !job.control.isStepCancelled) job.announce('error', 'The operation was canceled.')
  return cancelledEnd(job)
}

function cancelledEnd({ control }: JobRun): StepEnd {
  const whole = control.reason ?? 'The job was cancelled.'
  return { outcome: 'cancelled', reason: control.isStepCancelled ? 'Another step has cancelled it.' : whole }
}

/** `continue-on-error` turns a failure into a success for everybody but the step itself; never a cancel (52). */
function conclusionOf(job: JobRun, step: StepModel, end: StepEnd, scope: Scope): Conclusion {
  if (end.outcome !== 'failure' || step.continueOnError === undefined) return end.outcome
  try {
    return isTruthy(asBoolean(evaluateTemplate(step.continueOnError, scope))) ? 'success' : 'failure'
  } catch (error) {
    job.announce('error', reportError(error).message)
    return 'failure'
  }
}

function asBoolean(value: Json): Json {
  return typeof value === 'string' ? value.toLowerCase() === 'true' : value
}

function minutesOf({ step, scope }: StepCall): number | undefined {
  if (step.timeoutMinutes === undefined) return undefined
  const value = evaluateTemplate(step.timeoutMinutes, scope)
  const minutes = value === '' || value === null ? undefined : Number(toText(value))
  if (minutes === undefined || minutes === 0) return undefined
  if (!(minutes > 0)) {
    throw stepValueInvalid({ place: 'timeout-minutes', expected: 'a number above 0', found: toText(value) })
  }
  return minutes
}
