import { stat } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { Diagnostic } from '#core/diagnostic.ts'
import type { ActionModel } from '#core/workflow/action-model.ts'
import { checkActionInputs } from '#core/workflow/check-action-input.ts'
import { remoteFile } from '#core/workflow/called-file.ts'
import { allInOrder } from '#core/workflow/in-order.ts'
import { linkCalls } from '#core/workflow/link-calls.ts'
import type { ReadCalled } from '#core/workflow/link-calls.ts'
import type { StepModel, WorkflowModel } from '#core/workflow/model.ts'
import { parseAction } from '#core/workflow/parse-action.ts'
import { readCalledFrom } from './called-workflows.ts'
import { readPlainFile } from './plain-file.ts'

/** A file that was checked. */
export interface CheckedFile {
  readonly file: string
  readonly text: string
  readonly diagnostics: readonly Diagnostic[]
}

/** Local actions that are followed; more are a circle that nobody has seen, or a mistake. */
const actionsMax = 500

/**
 * Checks what workflows of a working tree lead to: the workflows that they call, and the local actions that any of them uses. Returns the
 * checked files with what that has brought to light, and the files that it has led to.
 */
export async function checkReach(
  root: string,
  checked: readonly CheckedFile[],
  models: readonly WorkflowModel[],
  remote?: ReadCalled,
): Promise<readonly CheckedFile[]> {
  const reach = new Reach(root, checked, remote)
  for (const model of models) await reach.followCalls(model)
  await reach.followActions()
  return reach.files
}

class Reach {
  readonly #root: string
  /** Reads workflows of other repositories. */
  readonly #remote: ReadCalled | undefined
  readonly #files: Map<string, CheckedFile>
  /** Steps whose actions are still to be looked at, with the file that they stand in. */
  readonly #steps: { readonly file: string; readonly step: StepModel }[] = []

  constructor(root: string, checked: readonly CheckedFile[], remote: ReadCalled | undefined) {
    this.#root = root
    this.#remote = remote
    this.#files = new Map(checked.map((one) => [one.file, one]))
  }

  get files(): readonly CheckedFile[] {
    return [...this.#files.values()]
  }

  async followCalls(model: WorkflowModel): Promise<void> {
    const called = readCalledFrom(this.#root, this.#remote)
    const linked = await linkCalls(model, async (file) => {
      const source = await called(file)
      if (source.kind === 'file' && source.parsed.value !== undefined) this.#takeSteps(source.parsed.value)
      return source
    })
    this.#takeSteps(model)
    this.#add(model.file, linked.diagnostics)
    for (const { file, text, diagnostics } of linked.files) this.#add(file, diagnostics, text)
  }

  async followActions(): Promise<void> {
    const seen = new Set<string>()
    const actions = new Map<string, ActionModel>()
    for (let next = this.#steps.shift(); next !== undefined; next = this.#steps.shift()) {
      const path = localPath(next.step.uses, next.file)
      if (path === undefined || seen.size >= actionsMax) continue
      const found = await this.#readAction(path)
      if (found === undefined) this.#add(next.file, [missingAction(next.file, next.step)])
      if (found?.text === undefined) continue
      const { file, text } = found
      if (!seen.has(file)) {
        const { value, diagnostics } = await parseAction({ file, text })
        this.#add(file, diagnostics, text)
        if (value !== undefined) actions.set(file, value)
      }
      const value = actions.get(file)
      const caller = { file: next.file, text: this.#files.get(next.file)?.text ?? '' }
      if (value !== undefined) this.#add(next.file, checkActionInputs(next.step, value, caller))
      if (seen.has(file)) continue
      seen.add(file)
      if (value?.runs.kind === 'composite') this.#steps.push(...value.runs.steps.map((step) => ({ file, step })))
    }
  }

  #takeSteps(model: WorkflowModel): void {
    for (const job of model.jobs) this.#steps.push(...job.steps.map((step) => ({ file: model.file, step })))
  }

  /** The file of an action's folder; without text for one that is only a Dockerfile. */
  async #readAction(path: string): Promise<{ readonly file: string; readonly text?: string } | undefined> {
    for (const name of ['action.yml', 'action.yaml']) {
      const file = posix.join(path, name)
      const text = await readPlainFile(join(this.#root, file)).catch(() => undefined)
      if (text !== undefined) return { file, text }
    }
    const dockerfile = posix.join(path, 'Dockerfile')
    return (await stat(join(this.#root, dockerfile)).catch(() => undefined)) === undefined
      ? undefined
      : { file: dockerfile }
  }

  #add(file: string, diagnostics: readonly Diagnostic[], text = ''): void {
    const known = this.#files.get(file)
    const all = allInOrder([...(known?.diagnostics ?? []), ...diagnostics])
    this.#files.set(file, { file, text: known?.text ?? text, diagnostics: all })
  }
}

/** `./path` or `$/path` below the root; undefined for other forms, and for a path that leaves the repository. */
function localPath(uses: string | undefined, from: string): string | undefined {
  if (uses === undefined || !/^[.$]\//.test(uses)) return undefined
  if (uses.startsWith('$') && remoteFile(from) !== undefined) return undefined
  const path = posix.normalize(uses.slice(2))
  return path.startsWith('..') ? undefined : path
}

/** Only a warning: a step before it may bring the folder. */
function missingAction(file: string, { uses, position }: StepModel): Diagnostic {
  return {
    severity: 'warning',
    code: 'ACTION_MISSING',
    file,
    range: { start: position, end: position },
    message: `There is no action.yml in "${uses}".`,
    hint:
      uses?.startsWith('$') === true
        ? 'The folder is taken from the commit that runs: add it, and commit it.'
        : 'The folder is looked for below the workspace when the step runs: an earlier step may check it out.',
  }
}
