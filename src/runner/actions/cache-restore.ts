import type { ActionContext, BuiltInAction } from './built-in-action.ts'
import { restoreEntry, restoreInputs } from './cache-entry.ts'

/** Restores what an earlier run has saved, and saves nothing. */
export const cacheRestore: BuiltInAction = {
  name: 'actions/cache/restore',
  inputs: restoreInputs,
  async run(context: ActionContext): Promise<void> {
    await restoreEntry(context)
  },
}
