import type { ActionContext, BuiltInAction } from './built-in-action.ts'
import { restoreEntry, restoreInputs, saveEntry } from './cache-entry.ts'

/** What `run` tells `post`. */
const KEY = 'key'
const RESTORED = 'restored'

/** Restores what an earlier run has saved; when the job has succeeded, saves what this one leaves, unless it is the same. */
export const cache: BuiltInAction = {
  name: 'actions/cache',
  inputs: { ...restoreInputs, 'upload-chunk-size': undefined, 'save-always': 'false' },
  async run(context: ActionContext): Promise<void> {
    // The key counts as it is now: `hashFiles` of a lock file may say something else after the steps.
    context.state[KEY] = context.inputs.text('key')
    const restored = await restoreEntry(context)
    if (restored !== undefined) context.state[RESTORED] = restored
  },
  async post(context: ActionContext): Promise<void> {
    const { [KEY]: key = '', [RESTORED]: restored } = context.state
    if (restored === key) {
      context.print([`Cache hit occurred on the primary key ${key}, not saving cache.`])
      return
    }
    await saveEntry(context, key)
  },
  postIf: 'success()',
}
