import { builtInName } from '#core/action/built-in-name.ts'
import { parseRemoteName } from '#core/action/remote-name.ts'
import type { RemoteName } from '#core/action/remote-name.ts'
import { parseAction } from '#core/workflow/parse-action.ts'
import type { WorkflowModel } from '#core/workflow/model.ts'
import type { ActionStore, StoredCommit } from '#ports/action-store.ts'

/** Every action and reusable workflow of other repositories that workflows name; built-in ones are left out. */
export function usedActions(workflows: readonly WorkflowModel[]): readonly RemoteName[] {
  return workflows.flatMap(({ jobs }) =>
    jobs.flatMap((job) => [job.uses, ...job.steps.map(({ uses }) => uses)].flatMap(remoteName)),
  )
}

/** What the composite action at a path of a commit uses itself. */
export async function actionsUsedBy(
  store: ActionStore,
  commit: StoredCommit,
  path: string,
): Promise<readonly RemoteName[]> {
  for (const file of ['action.yml', 'action.yaml']) {
    const at = path === '' ? file : `${path}/${file}`
    const text = await store.readText(commit, at)
    if (text === undefined) continue
    const { value } = await parseAction({ file: at, text })
    return value?.runs.kind === 'composite' ? value.runs.steps.flatMap(({ uses }) => remoteName(uses)) : []
  }
  return []
}

function remoteName(uses: string | undefined): readonly RemoteName[] {
  if (uses === undefined || builtInName(uses) !== undefined) return []
  const name = parseRemoteName(uses)
  return name === undefined ? [] : [name]
}
