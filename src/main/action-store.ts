import path from 'node:path'
import { openActionStore } from '#adapters/action-store/action-store.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { ActionLibrary } from '#ports/action-store.ts'

/** The actions of other repositories that a home keeps; `SHIPWAY_ACTIONS_URL` says where new ones come from. */
export function actionStore(home: string): ActionLibrary {
  const baseUrl = process.env['SHIPWAY_ACTIONS_URL'] ?? ''
  return openActionStore({
    root: path.join(path.resolve(home), homeLayout.actions),
    now: () => Date.now(),
    ...(baseUrl === '' ? {} : { baseUrl }),
  })
}
