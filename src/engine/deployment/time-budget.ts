import { deploymentTooSlow } from '#core/deployment/reasons.ts'
import type { DeploymentFailure } from '#core/deployment/state.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import type { DeliveryContext } from './context.ts'

/**
 * Resolves with the failure when a deployment has used up its time (`gates.time.deploy`), which runs from its start, also while no agent drives
 * it. Never for a rollback: going back has no budget, it would have nowhere to go. Rejects when the signal is aborted.
 */
export async function overBudget(
  { clock }: Pick<DeliveryContext, 'clock'>,
  { deployment, config }: { readonly deployment: StoredDeployment; readonly config: EnvironmentConfig },
  signal: AbortSignal,
): Promise<DeploymentFailure | undefined> {
  const budgetMs = config.gates?.time?.deployMs
  if (budgetMs === undefined || deployment.kind === 'rollback') return undefined
  const leftMs = (deployment.startedAt ?? clock.now()) + budgetMs - clock.now()
  await clock.sleep(Math.max(0, leftMs), signal)
  return { reason: deploymentTooSlow({ environment: config.name, budgetMs }), isReleaseBad: false }
}
