import type { DeploymentState } from '#core/deployment/state.ts'
import type { Release } from '#core/release/model.ts'
import { loadRelease } from '#store/release.ts'
import type { DeliveryContext } from './context.ts'

/** The release that ran before, by target, as far as the home knows it. */
export async function loadPrevious(
  context: DeliveryContext,
  targets: DeploymentState['targets'],
): Promise<ReadonlyMap<string, { readonly previous: Release }>> {
  const before = new Map<string, { readonly previous: Release }>()
  for (const { name, from } of targets) {
    const previous = from === undefined ? undefined : await loadRelease(context.store.query, from)
    if (previous !== undefined) before.set(name, { previous })
  }
  return before
}
