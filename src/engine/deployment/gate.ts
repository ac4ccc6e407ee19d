import { isBackedUp, planHash } from '#core/deployment/plan.ts'
import type { DeploymentPlan } from '#core/deployment/plan.ts'
import { withinLongestWait } from '#core/deployment/longest-wait.ts'
import { planDrift } from '#core/deployment/plan-drift.ts'
import { environmentGone, targetPending, targetUnreachable } from '#core/deployment/reasons.ts'
import type { DeploymentInput } from '#core/deployment/state.ts'
import { KnownError } from '#core/errors.ts'
import { checkEnvironment } from '#core/environment/check.ts'
import type { Verdict } from '#core/environment/check.ts'
import { planDrifted } from '#core/known/plan.ts'
import { absoluteTarget } from '#core/project/target.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Reason } from '#core/reason.ts'
import type { Release } from '#core/release/model.ts'
import type { TargetState } from '#ports/deploy-driver.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import { decisionsOn } from '#store/approval.ts'
import { loadDeployment } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { loadEnvironment, touchEnvironment } from '#store/environment.ts'
import { latestEvidence } from '#store/evidence.ts'
import { loadRelease } from '#store/release.ts'
import { backUpBefore } from '../backup/before-deployment.ts'
import { askGates } from './ask-gates.ts'
import type { DeliveryContext } from './context.ts'
import { refuseOpenPorts } from './exposed-ports.ts'
import { inspectTargets } from './inspect-targets.ts'
import { makePlan } from './make-plan.ts'
import { deploymentQuestion } from './question.ts'
import { runningTargets } from './running-targets.ts'
import { readSavedPlan } from './saved-plan.ts'
import { secretsOfDeployment } from './secret-versions.ts'
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
  const before = await judgeWithAnswers(context, id, signal)
  if (before.deployment.state === 'done') return 'done'
  if (before.config === undefined)
    return conclude(context, id, {
      kind: 'give-up',
      reason: environmentGone({ environment: before.deployment.environment }),
    })
  const isApprovalOnly = before.verdict.kind === 'wait' && before.verdict.reason.code === 'APPROVAL_NEEDED'
  const mustInspect = before.verdict.kind === 'pass' || (isApprovalOnly && (await isOutdated(context, before)))
  if (!mustInspect) return conclude(context, id, inputOf(before.verdict))

  const found = await survey(context, before, signal)
  if ('obstacle' in found) return conclude(context, id, found.obstacle)
  const { query } = context.store
  const drifted = await driftFrom(context, query, { ...(await judge(context, query, id, found.hash)), next: found })
  if (drifted !== undefined) return conclude(context, id, { kind: 'refuse', reason: drifted })
  if (before.verdict.kind !== 'pass' || !isBackedUp(before.config, before.deployment.kind))
    return startOrWait(context, id, found)
  // As late as it can be, and outside every transaction: it takes as long as the database is large. Then the targets are asked once more.
  const reason = await backUpBefore(context, before.deployment, before.config, signal)
  if (reason !== undefined) return conclude(context, id, { kind: 'give-up', reason })
  const still = await survey(context, before, signal)
  return 'obstacle' in still ? conclude(context, id, still.obstacle) : startOrWait(context, id, still)
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
  const checked = refuseOpenPorts(rules, { release, config, files: context.files })
  const verdict = withinLongestWait(checked, { ...deployment, now: context.clock.now() })
  return { deployment, release, config, verdict }
}

/** Other services are asked last of what costs nothing: nobody is asked about a release that is refused anyway. */
async function judgeWithAnswers(context: DeliveryContext, id: string, signal: AbortSignal): Promise<Judged> {
  const first = await judge(context, context.store.query, id)
  const { deployment, release, config, verdict } = first
  const gates = config?.gates
  if (gates === undefined || verdict.kind !== 'wait' || verdict.reason.code !== 'GATE_PENDING') return first
  const evidence = await latestEvidence(context.store.query, release.id)
  await askGates(
    context,
    {
      place: { subject: id, environment: deployment.environment },
      application: deployment.application,
      gates,
      source: release.manifest.source,
      release: release.id,
      evidence: evidence?.reports ?? [],
      tickets: deployment.document.secretTickets,
      // Why it waits is told once it does: most answers are there at once.
      onPending: async () => {
        const { verdict: now } = await judge(context, context.store.query, id)
        if (now.kind === 'wait') await conclude(context, id, inputOf(now))
      },
      isStopped: async () => (await loadDeployment(context.store.query, id))?.state === 'done',
    },
    signal,
  )
  return judge(context, context.store.query, id)
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
  readonly seenCurrent: string | undefined
}

/** Asks the targets, and plans by what they say. */
async function survey(
  context: DeliveryContext,
  judged: Judged,
  signal: AbortSignal,
): Promise<NewPlan | { readonly obstacle: DeploymentInput }> {
  if (judged.config === undefined) throw new Error('Invariant broken: planned without rules')
  const states = await inspectTargets(context, judged.deployment, judged.config, signal)
  const obstacle = obstacleIn(states, judged)
  if (obstacle !== undefined) return { obstacle }
  try {
    return await replan(context, { ...judged, config: judged.config }, states, signal)
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    const { code, message, hint } = error
    return { obstacle: { kind: 'give-up', reason: { code, message, ...(hint === undefined ? {} : { hint }) } } }
  }
}

async function replan(
  context: DeliveryContext,
  { deployment, release, config }: Judged & { readonly config: EnvironmentConfig },
  states: readonly TargetState[],
  signal: AbortSignal,
): Promise<NewPlan> {
  const { query } = context.store
  const { current } = await loadEnvironment(query, deployment.application, deployment.environment)
  const believed =
    isLookedAtDeeply(deployment, config) && current !== undefined ? await loadRelease(query, current) : undefined
  const { application, kind: mode } = deployment
  const running = await runningTargets(
    context.drivers[config.driver],
    { application, config, states, believed },
    signal,
  )
  const plan = await makePlan(context.files, query, { mode, environment: config, release, running })
  return { plan, hash: planHash(plan, context.sha256), config, seenCurrent: current }
}

/** Whoever approves a plan, or names it, has a right to know of every file that somebody changed; a rollback that nobody has to approve must be quick. */
function isLookedAtDeeply({ document, kind }: StoredDeployment, { approvals }: EnvironmentConfig): boolean {
  return document.boundPlan !== undefined || (approvals !== undefined && kind !== 'rollback')
}

/** Whether a plan that people are asked to approve no longer is what would be planned now: found out without asking the targets. */
async function isOutdated(context: DeliveryContext, { deployment, release, config }: Judged): Promise<boolean> {
  const { document, application, environment, kind: mode } = deployment
  if (!document.isInspected || config === undefined) return true
  const { query } = context.store
  const { current } = await loadEnvironment(query, application, environment)
  if (current !== document.seenCurrent) return true
  const running = document.plan.targets.map(({ from, byHand }) => ({
    ...(from === undefined ? {} : { release: from }),
    ...(byHand === undefined ? {} : { byHand }),
  }))
  const plan = await makePlan(context.files, query, { mode, environment: config, release, running })
  return planHash(plan, context.sha256) !== deployment.planHash
}

async function startOrWait(
  context: DeliveryContext,
  id: string,
  next: NewPlan,
): Promise<'started' | 'waiting' | 'done'> {
  const { plan, hash, config, seenCurrent } = next
  const { state } = await context.store.transaction(async (query) => {
    await touchEnvironment(query, plan.application, plan.environment)
    const judged = await judge(context, query, id, hash)
    const drifted = await driftFrom(context, query, { ...judged, next })
    if (drifted !== undefined) return writeDecision(context, query, id, { kind: 'refuse', reason: drifted })
    const hasMoved = judged.deployment.planHash !== hash
    const extras: DecisionExtras = {
      planHash: hash,
      document: { plan, isInspected: true, ...(seenCurrent === undefined ? {} : { seenCurrent }) },
      events: hasMoved ? [{ type: 'deployment.progress', line: movedLine(judged.deployment, plan) }] : [],
    }
    if (judged.verdict.kind !== 'pass') return writeDecision(context, query, id, inputOf(judged.verdict), extras)
    const targets = plan.targets.map(({ name, from }) => ({ name, ...(from === undefined ? {} : { from }) }))
    const secrets = await secretsOfDeployment(context, query, { ...judged, config })
    return writeDecision(
      context,
      query,
      id,
      { kind: 'start', targets },
      {
        ...extras,
        started: true,
        document: {
          ...extras.document,
          environment: config,
          secretVersions: secrets.versions,
          ...(Object.keys(secrets.restored).length === 0 ? {} : { restoredSecrets: secrets.restored }),
        },
        events: [
          ...(extras.events ?? []),
          ...secrets.lines.map((line) => ({ type: 'deployment.progress', line }) as const),
        ],
      },
    )
  })
  context.notify({ type: 'changed', subject: id })
  if (state.phase === 'gate') return 'waiting'
  return state.phase === 'done' ? 'done' : 'started'
}

/**
 * Why a plan must not be applied although the rules may let it: another one was asked for by its hash, or people have approved another one. What nobody
 * has named or approved follows the targets.
 */
async function driftFrom(
  context: DeliveryContext,
  query: Query,
  { deployment, verdict, next }: Judged & { readonly next: NewPlan },
): Promise<Reason | undefined> {
  const { document, planHash: shown } = deployment
  if (next.hash === (document.boundPlan ?? shown)) return undefined
  const isApproved =
    document.boundPlan === undefined &&
    verdict.kind !== 'pass' &&
    (await hasApproval(context, query, deployment, next.config))
  if (document.boundPlan === undefined && !isApproved) return undefined
  const plan = document.boundPlan ?? shown
  const before = plan === shown ? document.plan : readSavedPlan(context, plan)
  const { application, environment, version, mode } = next.plan
  const differences = before === undefined ? [] : planDrift(before, next.plan)
  return planDrifted({ application, environment, version, mode, plan, differences })
}

/** Somebody has approved this deployment with the plan that it has, and that still counts. */
async function hasApproval(
  { clock }: DeliveryContext,
  query: Query,
  { id, environment, planHash: shown }: StoredDeployment,
  { approvals }: EnvironmentConfig,
): Promise<boolean> {
  if (approvals === undefined) return false
  const decisions = await decisionsOn(query, id, environment)
  return decisions.some(
    ({ decision, planHash: bound, at }) =>
      decision === 'approve' && bound === shown && at + approvals.expiresMs > clock.now(),
  )
}

function movedLine(deployment: StoredDeployment, plan: DeploymentPlan): string {
  const old = deployment.document.plan.targets
  const moved = plan.targets.filter((target, index) => old[index]?.from !== target.from)
  if (moved.length === 0)
    return 'the plan has changed since it was made: the rules or settings of the environment are others now'
  const each = moved.map(({ name, from }) => `${name} runs ${from === undefined ? 'nothing' : from.slice(0, 12)}`)
  return `the plan follows what the targets say: ${each.join(', ')}`
}
