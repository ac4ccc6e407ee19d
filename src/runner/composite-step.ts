import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { evaluateTemplate } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import { actionInvalid, actionMissing, actionTooDeep, actionUnavailable, pathEscapes } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import type { ActionModel } from '#core/workflow/action-model.ts'
import type { StepModel } from '#core/workflow/model.ts'
import type { Frame, JobRun, StepEnd } from './job-run.ts'
import { STEP_SUCCEEDED } from './job-run.ts'
import { stepScope } from './scope.ts'
import type { StepCall } from './script-step.ts'

/** How deep composite actions may call each other (actions-semantics 100). */
const DEPTH_MAX = 9

/**
 * Runs a composite action of the workspace, `uses: ./path`. Its steps see their own `steps` and `inputs`, the variables of
 * the calling step, and no secrets. Its outputs are evaluated even after a failure (100).
 */
export async function runCompositeAction(
  job: JobRun,
  call: StepCall,
  given: Readonly<Record<string, string>>,
  runInnerSteps: (job: JobRun, frame: Frame, steps: readonly StepModel[]) => Promise<void>,
): Promise<StepEnd> {
  const uses = call.step.uses ?? ''
  const { workspace } = job.order.paths
  if (call.frame.depth >= DEPTH_MAX) throw actionTooDeep({ uses, depthMax: DEPTH_MAX })
  const folder = normalizePath(uses, workspace)
  if (!isInside(folder, workspace)) throw pathEscapes({ path: uses, root: workspace })
  const action = await loadAction(uses, folder, workspace)
  if (action.runs.kind !== 'composite') {
    throw actionUnavailable({ uses, why: `this version does not run ${action.runs.kind} actions`, builtIn: [] })
  }
  const frame: Frame = {
    depth: call.frame.depth + 1,
    steps: {},
    status: 'success',
    env: { ...call.frame.env, ...call.ownEnv },
    inputs: inputsOf(job, call, action, given),
    github: {
      ...call.frame.github,
      action: call.step.id,
      action_path: job.host.inside(folder),
      action_status: 'success',
    },
  }
  await runInnerSteps(job, frame, action.runs.steps)
  const failed = outputsOf(job, frame, call, action)
  if (frame.status === 'failure') return { outcome: 'failure', reason: frame.failure ?? `A step of ${uses} failed.` }
  return failed ?? STEP_SUCCEEDED
}

async function loadAction(uses: string, folder: string, workspace: string): Promise<ActionModel> {
  for (const name of ['action.yml', 'action.yaml']) {
    const path = join(folder, name)
    const text = readIfThere(path)
    if (text === undefined) continue
    // The parser brings the YAML library: jobs without such an action do not load it.
    const { parseAction } = await import('#core/workflow/parse-action.ts')
    const { value, diagnostics } = await parseAction({ file: relative(workspace, path), text })
    if (value !== undefined) return value
    const problems = diagnostics
      .filter((diagnostic) => diagnostic.severity === 'error')
      .map(({ file, range, message }) => `${file}:${range.start.line}:${range.start.column}: ${message}`)
    throw actionInvalid({ uses, problems })
  }
  throw actionMissing({ uses, folder })
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** Inputs as texts: given ones, else the defaults, which see no more than the calling job's contexts (14). */
function inputsOf(
  job: JobRun,
  call: StepCall,
  action: ActionModel,
  given: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const inputs: Record<string, string> = {}
  const byName = new Map(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value]))
  for (const [name, input] of Object.entries(action.inputs)) {
    const value = byName.get(name.toLowerCase())
    if (value !== undefined && input.deprecationMessage !== undefined) {
      job.announce('warning', `Input '${name}' has been deprecated with message: ${input.deprecationMessage}`)
    }
    inputs[name] = value ?? (input.default === undefined ? '' : toText(evaluateTemplate(input.default, call.scope)))
    byName.delete(name.toLowerCase())
  }
  const unknown = [...byName.keys()]
  if (unknown.length > 0) {
    const known = Object.keys(action.inputs).map((name) => `'${name}'`)
    job.announce(
      'warning',
      `Unexpected input(s) ${unknown.map((name) => `'${name}'`).join(', ')}, valid inputs are [${known.join(', ')}]`,
    )
  }
  for (const [name, value] of byName) inputs[name] = value
  return inputs
}

/** Evaluates the outputs into the step's record. The end of the step when that fails. */
function outputsOf(job: JobRun, frame: Frame, call: StepCall, action: ActionModel): StepEnd | undefined {
  const scope = stepScope(job, frame, call.env)
  try {
    for (const [name, template] of Object.entries(action.outputs)) {
      call.outputs[name] = toText(evaluateTemplate(template, scope))
    }
    return undefined
  } catch (error) {
    return job.failStep(error)
  }
}
