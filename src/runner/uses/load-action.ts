import { readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { actionInvalid, actionMissing, pathEscapes } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import type { ActionModel } from '#core/workflow/action-model.ts'
import type { JobRun, LoadedAction } from '../job-run.ts'

/** An action of the workspace, `./path`: read when its step starts, because an earlier step may have put it there (actions-semantics 99). */
export async function loadLocalAction(job: JobRun, uses: string): Promise<LoadedAction> {
  const { workspace } = job.order.paths
  const folder = normalizePath(uses, workspace)
  if (!isInside(folder, workspace)) throw pathEscapes({ path: uses, root: workspace })
  return { uses, root: workspace, folder, model: await readAction(uses, folder, workspace) }
}

/** Reads `action.yml`, else `action.yaml`, else takes a Dockerfile for an action (98). `root` shortens the paths in diagnostics. */
export async function readAction(uses: string, folder: string, root: string): Promise<ActionModel> {
  for (const name of ['action.yml', 'action.yaml']) {
    const path = join(folder, name)
    const text = readIfThere(path)
    if (text === undefined) continue
    // The parser brings the YAML library: jobs without such an action do not load it.
    const { parseAction } = await import('#core/workflow/parse-action.ts')
    const { value, diagnostics } = await parseAction({ file: relative(root, path), text })
    if (value !== undefined) return value
    const problems = diagnostics
      .filter((diagnostic) => diagnostic.severity === 'error')
      .map(({ file, range, message }) => `${file}:${range.start.line}:${range.start.column}: ${message}`)
    throw actionInvalid({ uses, problems })
  }
  for (const name of ['Dockerfile', 'dockerfile']) {
    const path = join(folder, name)
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === true)
      return dockerfileAction(relative(root, path), name)
  }
  throw actionMissing({ uses, folder })
}

function dockerfileAction(file: string, image: string): ActionModel {
  const runs = { kind: 'docker', image, preIf: 'always()', postIf: 'always()', args: [] } as const
  return { file, name: file, inputs: {}, outputs: {}, runs }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
