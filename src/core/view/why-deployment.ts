import { timeText } from '#core/environment/reasons.ts'
import { shortDigest, shortVersion } from './name.ts'
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
  const items = deploymentItems(deployment, environment, decisions)
  const { planHash } = deployment
  const isTold = planHash === undefined || items.some(({ rule }) => rule === 'DEPLOYMENT_PLAN')
  const plan = isTold ? [] : [item('note', deployment.environment, planNamed(planHash))]
  return {
    subject: `${deployment.mode} ${shortVersion(deployment.version)} → ${deployment.environment} (${deployment.id})`,
    state: deployment.conclusion ?? deployment.phase ?? deployment.state,
    items: [...items, ...plan],
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
  const { planHash } = deployment
  // What people are asked to say yes to.
  if (planHash !== undefined && deployment.reason?.code === approvalCode && deployment.state !== 'done')
    items.push(item('note', about, planNamed(planHash)))
  for (const decision of decisions) {
    const said = decision.decision === 'approve' ? 'approved' : 'rejected'
    const plan = decision.planHash === undefined ? 'it' : `its plan ${shortDigest(decision.planHash)}`
    items.push(
      item('note', about, {
        code: 'APPROVAL_RECORDED',
        message: `${decision.actor} ${said} ${plan}${decision.reason === undefined ? '' : `: ${decision.reason}`}.`,
      }),
    )
  }
  return items
}

function planNamed(hash: string): Parameters<typeof item>[2] {
  return { code: 'DEPLOYMENT_PLAN', message: `Its plan is ${hash}.` }
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
