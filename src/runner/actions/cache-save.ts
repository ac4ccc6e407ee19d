import type { ActionContext, BuiltInAction } from './built-in-action.ts'
import { saveEntry } from './cache-entry.ts'

/** Saves files of the job for later runs, right now. */
export const cacheSave: BuiltInAction = {
  name: 'actions/cache/save',
  inputs: { path: undefined, key: undefined, 'upload-chunk-size': undefined, enablecrossosarchive: 'false' },
  async run(context: ActionContext): Promise<void> {
    await saveEntry(context, context.inputs.text('key'))
  },
}
