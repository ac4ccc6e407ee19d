import { planDeployment, planHash } from '#core/deployment/plan.ts'
import type { DeploymentPlan } from '#core/deployment/plan.ts'
import { environmentGone, targetPending, targetUnreachable } from '#core/deployment/reasons.ts'
import type { DeploymentInput } from '#core/deployment/state.ts'
import { checkEnvironment } from '#core/environment/check.ts'
import type { Verdict } from '#core/environment/check.ts'
import { absoluteTarget } from '#core/project/target.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { TargetState } from '#ports/deploy-driver.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import { loadDeployment } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { touchEnvironment } from '#store/environment.ts'
import { loadRelease } from '#store/release.ts'
import { backUpBefore } from '../backup/before-deployment.ts'
import type { DeliveryContext } from './context.ts'
import { refuseOpenPorts } from './exposed-ports.ts'
import { inspectTargets } from './inspect-targets.ts'
import { deploymentQuestion } from './question.ts'
import { writeDecision } from './write-decision.ts'
import type { DecisionExtras } from './write-decision.ts'

/**
 * Asks the rules about a deployment that has not started: first with what the store knows, which costs nothing; when only
 * approvals are missing, or nothing, also the targets, so that the plan that people approve is about what really runs. Starts it when
 * everything says yes, in one transaction with the last question, so that two deployments cannot both start.
 */
export async function passGate(
  context: DeliveryContext,
  id: string,
  signal: AbortSignal,
): Promise<'started' | 'waiting' | 'done'> {
  const before = await judge(context, context.store.query, id)
  if (before.config === undefined)
    return conclude(context, id, {
      kind: 'give-up',
      reason: environmentGone({ environment: before.deployment.environment }),
    })
  const isApprovalOnly = before.verdict.kind === 'wait' && before.verdict.reason.code === 'APPROVAL_NEEDED'
  const mustInspect = before.verdict.kind === 'pass' || (isApprovalOnly && !before.deployment.document.isInspected)
  if (!mustInspect) return conclude(context, id, inputOf(before.verdict))

  const states = await inspectTargets(context, before.deployment, before.config, signal)
  const obstacle = obstacleIn(states, before)
  if (obstacle !== undefined) return conclude(context, id, obstacle)
  const plan = await replan(context, before, states)
  // As late as it can be, and outside every transaction: it takes as long as the database is large.
  const reason =
    before.verdict.kind === 'pass' ? await backUpBefore(context, before.deployment, before.config, signal) : undefined
  if (reason !== undefined) return conclude(context, id, { kind: 'give-up', reason })
  return startOrWait(context, id, plan)
}

interface Judged {
  readonly deployment: StoredDeployment
  readonly release: Release
  /** Rules in force, targets absolute; undefined when `shipway.yml` no longer has the environment. */
  readonly config: EnvironmentConfig | undefined
  readonly verdict: Verdict
}

async function judge(context: DeliveryContext, query: Query, id: string, hash?: string): Promise<Judged> {
  const deployment = await loadDeployment(query, id)
  if (deployment === undefined) throw new Error(`Invariant broken: there is no deployment ${id}`)
  const release = await loadRelease(query, deployment.release)
  if (release === undefined) throw new Error(`Invariant broken: the release of ${id} is not in the store`)
  const application = await loadApplication(query, deployment.application)
  const written = application?.config.environments.find((environment) => environment.name === deployment.environment)
  if (application === undefined || written === undefined)
    return { deployment, release, config: undefined, verdict: { kind: 'pass' } }
  const config = {
    ...written,
    targets: written.targets.map((target) => absoluteTarget(target, application.repository)),
  }
  const candidate = hash === undefined ? deployment : { ...deployment, planHash: hash }
  const rules = checkEnvironment(await deploymentQuestion(context, query, { candidate, release, application, config }))
  const verdict = refuseOpenPorts(rules, { release, config, files: context.files })
  return { deployment, release, config, verdict }
}

function inputOf(verdict: Exclude<Verdict, { kind: 'pass' }> | Verdict): DeploymentInput {
  if (verdict.kind === 'pass') throw new Error('Invariant broken: a deployment that may start was not started')
  return { kind: verdict.kind, reason: verdict.reason }
}

async function conclude(context: DeliveryContext, id: string, input: DeploymentInput): Promise<'waiting' | 'done'> {
  const { state } = await context.store.transaction((query) => writeDecision(context, query, id, input))
  context.notify({ type: 'changed', subject: id })
  return state.phase === 'done' ? 'done' : 'waiting'
}

/** Nothing is begun on a fleet that is not complete, or where another switch is still open. */
function obstacleIn(states: readonly TargetState[], { deployment, config }: Judged): DeploymentInput | undefined {
  for (const [index, state] of states.entries()) {
    const target = config?.targets[index]?.name ?? ''
    if (state.kind === 'unknown') return { kind: 'give-up', reason: targetUnreachable({ ...state, target }) }
    if (state.pending !== undefined && state.pending.deployment !== deployment.id) {
      return { kind: 'wait', reason: targetPending({ target, ...state.pending }) }
    }
  }
  return undefined
}

interface NewPlan {
  readonly plan: DeploymentPlan
  readonly hash: string
  readonly config: EnvironmentConfig
}

async function replan(context: DeliveryContext, judged: Judged, states: readonly TargetState[]): Promise<NewPlan> {
  const { deployment, release, config } = judged
  if (config === undefined) throw new Error('Invariant broken: planned without rules')
  const running = states.map((state) => (state.kind === 'known' ? state.current : undefined))
  const plan = await makePlan(context.store.query, {
    mode: deployment.kind,
    environment: config,
    release,
    running,
  })
  return { plan, hash: planHash(plan, context.sha256), config }
}

/** A plan with the releases that run on the targets, as far as the store knows them. */
export async function makePlan(
  query: Query,
  input: {
    readonly mode: DeploymentPlan['mode']
    readonly environment: EnvironmentConfig
    readonly release: Release
    readonly running: readonly (string | undefined)[]
  },
): Promise<DeploymentPlan> {
  const known = new Map<string, Release>()
  for (const id of new Set(input.running)) {
    const release = id === undefined ? undefined : await loadRelease(query, id)
    if (release !== undefined) known.set(release.id, release)
  }
  return planDeployment({ ...input, known })
}

async function startOrWait(
  context: DeliveryContext,
  id: string,
  { plan, hash, config }: NewPlan,
): Promise<'started' | 'waiting' | 'done'> {
  const { state } = await context.store.transaction(async (query) => {
    await touchEnvironment(query, plan.application, plan.environment)
    const judged = await judge(context, query, id, hash)
    const hasMoved = judged.deployment.planHash !== hash
    const extras: DecisionExtras = {
      planHash: hash,
      document: { plan, isInspected: true },
      events: hasMoved ? [{ type: 'deployment.progress', line: movedLine(judged.deployment, plan) }] : [],
    }
    if (judged.verdict.kind !== 'pass') return writeDecision(context, query, id, inputOf(judged.verdict), extras)
    const targets = plan.targets.map(({ name, from }) => ({ name, ...(from === undefined ? {} : { from }) }))
    return writeDecision(
      context,
      query,
      id,
      { kind: 'start', targets },
      { ...extras, started: true, document: { ...extras.document, environment: config } },
    )
  })
  context.notify({ type: 'changed', subject: id })
  if (state.phase === 'gate') return 'waiting'
  return state.phase === 'done' ? 'done' : 'started'
}

function movedLine(deployment: StoredDeployment, plan: DeploymentPlan): string {
  const old = deployment.document.plan.targets
  const moved = plan.targets.filter((target, index) => old[index]?.from !== target.from)
  if (moved.length === 0)
    return 'the plan has changed since it was made: the rules or settings of the environment are others now'
  const each = moved.map(({ name, from }) => `${name} runs ${from === undefined ? 'nothing' : from.slice(0, 12)}`)
  return `the plan follows what the targets say: ${each.join(', ')}`
}
