import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { actionTooDeep } from '#core/known/runner.ts'
import type { StepModel } from '#core/workflow/model.ts'
import { STEP_SUCCEEDED, makeFrame, registerPost, scopedId, useOf, wantsPost } from '../job-run.ts'
import type { Frame, JobRun, LoadedAction, StepEnd } from '../job-run.ts'
import { stepScope } from '../scope.ts'
import type { StepCall } from '../script-step.ts'
import { depthMax, preConditionOf } from './action-stage.ts'
import { githubOfAction } from './github-of-action.ts'

/** Runs steps of a composite action in their own frame. */
export type RunInnerSteps = (job: JobRun, frame: Frame, steps: readonly StepModel[]) => Promise<void>

/** What a composite action works with. */
export interface CompositeCall {
  readonly action: LoadedAction
  readonly inputs: Readonly<Record<string, string>>
  readonly runInnerSteps: RunInnerSteps
}

/**
 * Runs one stage of a composite action. Its steps see their own `steps` and `inputs`, the variables of the calling step, and no secrets. Its outputs
 * are evaluated even after a failure (actions-semantics 100). Its post stage is that of its inner actions, the last one first (105).
 */
export async function runCompositeAction(
  job: JobRun,
  call: StepCall,
  { action, inputs, runInnerSteps }: CompositeCall,
): Promise<StepEnd> {
  const { uses, model } = action
  if (call.frame.depth >= depthMax) throw actionTooDeep({ uses, depthMax })
  if (model.runs.kind !== 'composite') throw new Error(`Invariant broken: ${uses} is not a composite action`)
  const use = useOf(call.frame, call.step)
  const frame = enter(job, call, action, inputs)
  use.inner = frame
  await runInnerSteps(job, frame, innerSteps(job, frame, model.runs.steps))
  if (registers(job, call, frame)) registerPost(call.frame, call.step, 'always()')
  const failed = job.stage === 'main' ? outputsOf(job, frame, call, action) : undefined
  if (frame.status === 'failure') {
    const { failure = `A step of ${uses} failed.`, offerShell } = frame
    return { outcome: 'failure', reason: failure, ...(offerShell === undefined ? {} : { offerShell }) }
  }
  return failed ?? STEP_SUCCEEDED
}

/** Its place among the post stages is that of its first stage, as of every action; inside another action only its main stage counts (105). */
function registers(job: JobRun, { frame: outer }: StepCall, inner: Frame): boolean {
  return job.stage === 'pre' ? outer.depth === 0 : job.stage === 'main' && inner.posts.length > 0
}

/** The frame of a stage: it starts green, and goes on with what the stages before have left of actions and steps. */
function enter(job: JobRun, call: StepCall, action: LoadedAction, inputs: Readonly<Record<string, string>>): Frame {
  const before = useOf(call.frame, call.step).inner
  return {
    ...makeFrame({
      depth: call.frame.depth + 1,
      scope: scopedId(call.frame, call.step),
      env: { ...call.frame.env, ...call.ownEnv },
      inputs,
      github: { ...call.frame.github, ...githubOfAction(job, call.step, action) },
    }),
    ...(before === undefined ? {} : { uses: before.uses, posts: before.posts }),
    ...(before === undefined || job.stage !== 'post' ? {} : { steps: before.steps }),
  }
}

function innerSteps(job: JobRun, frame: Frame, steps: readonly StepModel[]): readonly StepModel[] {
  if (job.stage === 'main') return steps
  if (job.stage === 'pre') return steps.filter((step) => preConditionOf(job, step) !== undefined)
  return frame.posts
    .splice(0)
    .toReversed()
    .filter((step) => wantsPost(frame, step))
}

/** Evaluates the outputs into the step's record. The end of the step when that fails. */
function outputsOf(job: JobRun, frame: Frame, call: StepCall, { model }: LoadedAction): StepEnd | undefined {
  const scope = stepScope(job, frame, call.env)
  try {
    for (const [name, template] of Object.entries(model.outputs)) {
      call.outputs[name] = toText(evaluateTemplate(template, scope))
    }
    return undefined
  } catch (error) {
    return job.failStep(error)
  }
}
