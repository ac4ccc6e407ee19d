import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { actionReplyInvalid, actionsTooMany } from '#core/known/action.ts'
import { actionUnavailable } from '#core/known/runner.ts'
import { ownPath, ownSteps } from '#core/action/own-name.ts'
import { builtInName } from '#core/action/built-in-name.ts'
import { parseRemoteName } from '#core/action/remote-name.ts'
import type { RemoteName } from '#core/action/remote-name.ts'
import { usesProblem } from '#core/workflow/check-uses.ts'
import type { ActionModel } from '#core/workflow/action-model.ts'
import type { StepModel } from '#core/workflow/model.ts'
import type { JobRun, LoadedAction } from '../job-run.ts'
import { copyTree } from './copy-tree.ts'
import { readAction } from './load-action.ts'
import { loadOwnAction } from './own-repository.ts'

/** Different actions that one job may use, those of composite actions included. */
const actionsMax = 200

/**
 * Gets the actions of other repositories that steps use, also of steps that will not run, and what composite actions among them use (actions-semantics
 * 99), and those of its own repository that are not read from the workspace. The agent finds them, because a runner reads no store; the job works on a
 * copy of its own, which it may change.
 */
export async function prepareActions(job: JobRun, steps: readonly StepModel[]): Promise<void> {
  const queue = [...steps]
  // The queue grows while it is walked through.
  for (const { uses } of queue) {
    if (uses === undefined || job.remoteActions.has(uses) || !isRemote(uses)) continue
    if (job.remoteActions.size >= actionsMax) throw actionsTooMany({ uses, actionsMax })
    const action = await getAction(job, uses)
    job.remoteActions.set(uses, action)
    if (action.model.runs.kind === 'composite') queue.push(...action.model.runs.steps)
  }
}

function isRemote(uses: string): boolean {
  return !/^\.[\\/]/.test(uses) && !uses.startsWith('docker://') && builtInName(uses) === undefined
}

async function getAction(job: JobRun, uses: string): Promise<LoadedAction> {
  const own = ownPath(uses)
  if (own !== undefined) return loadOwnAction(job, uses, own)
  const name = parseRemoteName(uses)
  if (name === undefined) {
    throw actionUnavailable({ uses, why: usesProblem(uses) ?? 'it is not the name of an action', builtIn: [] })
  }
  const answer = await job.control.stoppable((stop) =>
    job.world.channel.request(job.tag, { kind: 'action', uses }, (line) => job.print([line]), stop),
  )
  const { folder, commit } = readReply(uses, answer)
  job.print([`Use action ${uses} (commit ${commit})`])
  const root = join(job.order.paths.actions, name.repository.toLowerCase(), commit)
  if (!existsSync(root)) await job.control.stoppable((stop) => copyTree(folder, root, stop))
  const path = join(root, name.path)
  const model = await readAction(uses, path, job.order.paths.actions)
  return {
    uses,
    root,
    folder: path,
    model: seenFromOutside(model, name),
    origin: { repository: name.repository, ref: name.ref },
  }
}

function seenFromOutside(model: ActionModel, name: RemoteName): ActionModel {
  const { runs } = model
  return runs.kind === 'composite' ? { ...model, runs: { ...runs, steps: ownSteps(runs.steps, name) } } : model
}

function readReply(uses: string, answer: Json): { readonly folder: string; readonly commit: string } {
  const folder = isJsonObject(answer) ? answer['folder'] : undefined
  const commit = isJsonObject(answer) ? answer['commit'] : undefined
  if (typeof folder === 'string' && typeof commit === 'string' && /^[0-9a-f]+$/.test(commit)) return { folder, commit }
  throw actionReplyInvalid({ uses })
}
