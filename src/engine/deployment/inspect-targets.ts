import { requiredSecrets } from '#core/deployment/plan.ts'
import type { TargetPhase } from '#core/deployment/state.ts'
import type { EnvironmentConfig, TargetConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { InspectOrder, TargetState } from '#ports/deploy-driver.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { loadEnvironment } from '#store/environment.ts'
import { loadRelease } from '#store/release.ts'
import type { DeliveryContext } from './context.ts'
import { broughtSecrets } from './secret-versions.ts'

/** What all targets of a deployment say, asked at the same time. */
export async function inspectTargets(
  context: DeliveryContext,
  deployment: StoredDeployment,
  config: EnvironmentConfig,
  signal: AbortSignal,
): Promise<readonly TargetState[]> {
  const driver = context.drivers[config.driver]
  const { application, environment } = deployment
  const add = driver.powers.knowsRelease ? () => ({}) : await beliefs(context, deployment, config)
  return Promise.all(
    config.targets.map((target) => driver.inspect({ target, application, environment, ...add(target) }, signal)),
  )
}

/** Phases of a target after which the record says that it runs the new release. */
const switchedPhases: readonly TargetPhase[] = ['switched', 'confirming', 'confirmed', 'reverting']

/** For targets that cannot tell what they run: what the rows say, as far as the deployment has come there. */
async function beliefs(context: DeliveryContext, deployment: StoredDeployment, config: EnvironmentConfig) {
  const { query } = context.store
  const { current } = await loadEnvironment(query, deployment.application, deployment.environment)
  const { machine } = deployment.document
  const known = new Map<string, Release>()
  for (const id of new Set([current, deployment.release, ...machine.targets.map(({ from }) => from)])) {
    const release = id === undefined ? undefined : await loadRelease(query, id)
    if (release !== undefined) known.set(release.id, release)
  }
  const underWay = known.get(deployment.release)
  const secrets = broughtSecrets(context, deployment, underWay === undefined ? [] : requiredSecrets(underWay, config))
  return ({ name }: TargetConfig): Partial<InspectOrder> => {
    const target = machine.targets.find((candidate) => candidate.name === name)
    const id = target === undefined ? current : switchedPhases.includes(target.phase) ? deployment.release : target.from
    const believed = id === undefined ? undefined : known.get(id)
    return {
      secrets,
      ...(believed === undefined ? {} : { believed }),
      ...(underWay === undefined ? {} : { underWay }),
    }
  }
}
