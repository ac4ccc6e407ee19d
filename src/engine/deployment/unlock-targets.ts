import type { DeploymentState } from '#core/deployment/state.ts'
import type { TargetConfig } from '#core/project/model.ts'
import type { DeployDriver, TargetOrder } from '#ports/deploy-driver.ts'

/**
 * Targets that were prepared, or were not even that, and never switched still have the lock of a deployment that has ended, which would keep the
 * next one away until its time is over. To take back what never happened ends it. What cannot be reached keeps it until then.
 */
export async function unlockTargets(
  { targets }: DeploymentState,
  {
    driver,
    orders,
  }: { readonly driver: DeployDriver<TargetConfig>; readonly orders: ReadonlyMap<string, TargetOrder<TargetConfig>> },
  signal: AbortSignal,
): Promise<void> {
  const untouched = targets.filter(({ phase }) => phase === 'idle' || phase === 'prepared')
  await Promise.allSettled(
    untouched.map(async ({ name }) => {
      const order = orders.get(name)
      if (order !== undefined) await driver.revert(order, 'it was never switched', () => undefined, signal)
    }),
  )
}
