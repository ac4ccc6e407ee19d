import { statSync } from 'node:fs'
import { githubEnvironment } from '#core/step/environment.ts'
import { actionFileMissing, actionNodeUnknown } from '#core/known/action.ts'
import { pathEscapes } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import type { ActionRuns } from '#core/workflow/action-model.ts'
import { makeFileCommands } from '../file-command-set.ts'
import { STEP_SUCCEEDED, registerPost, useOf } from '../job-run.ts'
import type { JobRun, LoadedAction, StepEnd } from '../job-run.ts'
import { runStepProcess } from '../script-step.ts'
import type { StepCall } from '../script-step.ts'
import { serviceEnvironment } from '../service/environment.ts'
import { makeCollector } from '../step-collector.ts'
import { processEnvironment } from '../step-environment.ts'
import { inputVariables } from './action-inputs.ts'
import { githubOfAction } from './github-of-action.ts'

/** Versions that actions name. All of them run on the Node that runs us: GitHub's runner moves old ones up as well (actions-semantics 103). */
const nodeVersions: ReadonlySet<string> = new Set(['node12', 'node16', 'node20', 'node24'])

/** Runs one stage of a JavaScript action: `pre`, `main` or `post`. */
export async function runNodeAction(
  job: JobRun,
  call: StepCall,
  action: LoadedAction,
  inputs: Readonly<Record<string, string>>,
): Promise<StepEnd> {
  const { runs } = action.model
  if (runs.kind !== 'node') throw new Error(`Invariant broken: ${action.uses} is not a JavaScript action`)
  if (!nodeVersions.has(runs.using)) throw actionNodeUnknown({ uses: action.uses, using: runs.using })
  // In a composite action only what ran its main stage cleans up (105).
  const registers = job.stage === 'main' || (job.stage === 'pre' && call.frame.depth === 0)
  if (registers && runs.post !== undefined) registerPost(call.frame, call.step, runs.postIf)
  const file = scriptOf(job, runs)
  if (file === undefined) return STEP_SUCCEEDED
  const script = scriptPath(action, file)
  await job.host.proveNode?.()
  const files = makeFileCommands(job)
  const { state } = useOf(call.frame, call.step)
  const collector = makeCollector(call.outputs, state)
  const env = processEnvironment(job, call.frame, call.env, call.step.id, {
    ...(await serviceEnvironment(job, job.serviceAddress)),
    ...githubEnvironment(githubOfAction(job, call.step, action)),
    ...inputVariables(inputs),
    ...stateVariables(state),
    ...files,
  })
  const cwd = job.order.paths.workspace
  return runStepProcess(job, { argv: [job.host.node, job.host.inside(script)], cwd, env }, { files, collector })
}

function scriptOf(job: JobRun, runs: Extract<ActionRuns, { kind: 'node' }>): string | undefined {
  return { pre: runs.pre, main: runs.main, post: runs.post }[job.stage]
}

/** Absolute path of a script of the action. It may lie beside the action's folder, but not outside its repository. */
function scriptPath({ uses, folder, root }: LoadedAction, file: string): string {
  const path = normalizePath(file, folder)
  if (!isInside(path, root)) throw pathEscapes({ path: file, root })
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) throw actionFileMissing({ uses, file, folder })
  return path
}

function stateVariables(state: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([name, value]) => [`STATE_${name}`, value]))
}
