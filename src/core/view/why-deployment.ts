import { timeText } from '#core/environment/reasons.ts'
import { shortVersion } from './name.ts'
import type { DecisionView, DeploymentSummary, EnvironmentView } from './model.ts'
import { item } from './why-answer.ts'
import type { WhyAnswer, WhyItem } from './why-answer.ts'

/** The one reason that approving changes. */
export const approvalCode = 'APPROVAL_NEEDED'

/** Why a deployment waits or was not put into place. */
export function whyDeployment(
  deployment: DeploymentSummary,
  environment: EnvironmentView | undefined,
  decisions: readonly DecisionView[],
): WhyAnswer {
  return {
    subject: `${deployment.mode} ${shortVersion(deployment.version)} → ${deployment.environment} (${deployment.id})`,
    state: deployment.conclusion ?? deployment.phase ?? deployment.state,
    items: deploymentItems(deployment, environment, decisions),
    ...(deployment.receipt === undefined ? {} : { receipt: deployment.receipt }),
  }
}

/** What a deployment has to say: its own reason, what blocks its environment, and what people decided. */
export function deploymentItems(
  deployment: DeploymentSummary,
  environment: EnvironmentView | undefined,
  decisions: readonly DecisionView[],
): readonly WhyItem[] {
  const about = `${shortVersion(deployment.version)} → ${deployment.environment}`
  const items: WhyItem[] = []
  if (deployment.reason !== undefined) {
    const state =
      deployment.state !== 'done'
        ? 'waiting'
        : deployment.conclusion === 'success' || deployment.conclusion === 'cancelled'
          ? 'note'
          : 'red'
    const who = deployment.reason.code === approvalCode ? whoMayApprove(environment) : undefined
    items.push({ ...(who === undefined ? {} : { who }), ...item(state, about, deployment.reason) })
  }
  if (environment !== undefined && deployment.state !== 'done')
    items.push(...blocks(environment).filter((block) => !items.some((known) => known.rule === block.rule)))
  for (const decision of decisions) {
    const said = decision.decision === 'approve' ? 'approved' : 'rejected'
    items.push(
      item('note', about, {
        code: 'APPROVAL_RECORDED',
        message: `${decision.actor} ${said} it${decision.reason === undefined ? '' : `: ${decision.reason}`}.`,
      }),
    )
  }
  return items
}

/** Lock and hold of an environment. */
export function blocks(environment: EnvironmentView): WhyItem[] {
  const { lock, hold, name } = environment
  const items: WhyItem[] = []
  if (lock !== undefined) {
    items.push({
      ...item('waiting', name, {
        code: 'ENVIRONMENT_LOCKED',
        message: `${lock.by} has locked it${lock.until === undefined ? '' : ` until ${timeText(lock.until)}`}${lock.reason === undefined ? '' : `: ${lock.reason}`}.`,
        hint: `shipway unlock ${name}`,
      }),
      who: lock.by,
    })
  }
  if (hold !== undefined) {
    items.push(
      item('waiting', name, {
        code: 'ENVIRONMENT_HELD',
        message: `It is held: ${hold.reason}`,
        hint: `shipway resume ${name}`,
      }),
    )
  }
  return items
}

/** Undefined: anybody. */
export function whoMayApprove(environment: EnvironmentView | undefined): string | undefined {
  const from = environment?.approvals?.from ?? []
  return from.length === 0 ? undefined : from.join(', ')
}

/** The environment of a deployment, as far as it is known. */
export function environmentOf(
  environments: readonly EnvironmentView[],
  deployment: DeploymentSummary,
): EnvironmentView | undefined {
  return environments.find(
    (environment) => environment.application === deployment.application && environment.name === deployment.environment,
  )
}
