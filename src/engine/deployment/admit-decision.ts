import { rejected, timeText } from '#core/environment/reasons.ts'
import {
  approvalNotNeeded,
  approverNotAllowed,
  decisionUnclear,
  deploymentDone,
  deploymentStarted,
} from '#core/known/deployment.ts'
import { planForeign, planNotWaiting, planUnknown } from '#core/known/plan.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { DecisionRequest, TicketOutcome } from '#core/ticket/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { decisionsOn, insertDecision } from '#store/approval.ts'
import { loadDeployment, openDeployments, openDeploymentsOf } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { appendEvent } from '#store/event.ts'
import { loadJobs } from '#store/job.ts'
import { loadRelease } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { TicketOf } from '../delivery.ts'
import { authorsOfRelease, authorsOfRun } from './authors.ts'
import { findEnvironment } from './find-environment.ts'
import type { DeliveryContext } from './context.ts'
import { isUnderWay } from './question.ts'
import { readSavedPlan } from './saved-plan.ts'
import { writeDecision } from './write-decision.ts'

/**
 * Records a person's word on a deployment, or on the environment that a job of a run waits for. An approval that could not count is
 * refused now, so that nobody believes to have approved.
 */
export async function admitDecision(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<DecisionRequest>,
): Promise<TicketOutcome> {
  const { subject, plan } = ticket.request
  if (plan === subject) return approvePlan(context, query, ticket)
  const deployment = await loadDeployment(query, subject)
  if (deployment !== undefined) return decideDeployment(context, query, ticket, deployment)
  return decideRun(context, query, ticket)
}

async function decideDeployment(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<DecisionRequest>,
  deployment: StoredDeployment,
): Promise<TicketOutcome> {
  const { decision } = ticket.request
  if (deployment.state === 'done')
    throw deploymentDone({ deployment: deployment.id, conclusion: deployment.conclusion ?? 'done' })
  if (isUnderWay(deployment))
    throw deploymentStarted({ deployment: deployment.id, phase: deployment.state, wanted: decision })
  const { config } = await findEnvironment(query, deployment)
  checkApprover(ticket, { config, authors: deployment.document.authors })
  checkPlan(ticket.request, deployment)

  const bound = { release: deployment.release, planHash: deployment.planHash }
  const note = await saidBefore(context, query, ticket, { config, subject: deployment.id, planHash: bound.planHash })
  await record(context, query, { ticket, config, application: deployment.application, subject: deployment.id, bound })
  await appendEvent(query, { table: 'deployment', id: deployment.id }, recordedEvent(ticket, config))
  if (decision === 'reject') {
    const reason = rejected({
      environment: config.name,
      subject: deployment.id,
      actor: ticket.requestedBy,
      ...given(ticket),
    })
    await writeDecision(context, query, deployment.id, { kind: 'refuse', reason })
  }
  return { kind: 'accepted', subjects: [deployment.id], ...note }
}

/**
 * Records a yes to a plan that was shown in this home and that no deployment waits with yet. It counts for the next deployment of exactly this plan, for as
 * long as any approval; the rules are asked again by then, also whether whoever asked for it may have approved it.
 */
async function approvePlan(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<DecisionRequest>,
): Promise<TicketOutcome> {
  const { subject: hash, environment = '', decision } = ticket.request
  const plan = readSavedPlan(context, hash)
  if (plan === undefined || decision !== 'approve') throw planUnknown({ plan: hash, environment })
  if (plan.environment !== environment) {
    const differences = [`it is for ${plan.environment} and not for ${environment}`]
    throw planForeign({ plan: hash, differences, environment })
  }
  const { application, config } = await findEnvironment(query, plan)
  const release = await loadRelease(query, plan.release)
  if (release === undefined) throw planUnknown({ plan: hash, environment })
  checkApprover(ticket, { config, authors: await authorsOfRelease(query, release) })
  const bound = { release: release.id, planHash: hash }
  await record(context, query, { ticket, config, application: application.name, subject: hash, bound })
  const waiting = (await openDeploymentsOf(query, { application: application.name, environment })).filter(
    (deployment) => deployment.planHash === hash && !isUnderWay(deployment),
  )
  return { kind: 'accepted', subjects: waiting.map(({ id }) => id) }
}

async function decideRun(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<DecisionRequest>,
): Promise<TicketOutcome> {
  const { subject, environment } = ticket.request
  const run = await loadRun(query, subject)
  if (run === undefined) throw decisionUnclear({ subject, found: [] })
  const waiting = await waitingEnvironments(query, run.id)
  const deployments = (await openDeployments(query)).filter(
    (deployment) => deployment.run === run.id && !isUnderWay(deployment),
  )
  const names = [...new Set([...waiting, ...deployments.map((deployment) => deployment.environment)])]
  const chosen = environment === undefined ? names : names.filter((name) => name === environment)
  const [name] = chosen
  if (name === undefined || chosen.length > 1)
    throw decisionUnclear({ subject, found: names, ...(environment === undefined ? {} : { wanted: environment }) })
  const deployment = deployments.find((candidate) => candidate.environment === name)
  if (deployment !== undefined && !waiting.includes(name)) return decideDeployment(context, query, ticket, deployment)

  const { config } = await findEnvironment(query, { application: run.application, environment: name })
  checkApprover(ticket, { config, authors: await authorsOfRun(query, run) })
  const note = await saidBefore(context, query, ticket, { config, subject: run.id })
  await record(context, query, { ticket, config, application: run.application, subject: run.id, bound: undefined })
  await appendEvent(query, { table: 'run', id: run.id }, recordedEvent(ticket, config))
  return { kind: 'accepted', subjects: [run.id], ...note }
}

/**
 * Whoever approves again is told that it is one approval still: the count is of people. It is recorded all the same, because it moves the time at which
 * their word expires.
 */
async function saidBefore(
  context: DeliveryContext,
  query: Query,
  { request, requestedBy }: TicketOf<DecisionRequest>,
  asked: { readonly config: EnvironmentConfig; readonly subject: string; readonly planHash?: string },
): Promise<{ readonly note?: string }> {
  const { config, subject, planHash } = asked
  if (request.decision !== 'approve') return {}
  const now = context.clock.now()
  const earlier = (await decisionsOn(query, subject, config.name)).findLast(
    (one) =>
      one.decision === 'approve' &&
      one.actor === requestedBy &&
      one.planHash === planHash &&
      (one.expiresAt ?? Number.POSITIVE_INFINITY) > now,
  )
  if (earlier === undefined) return {}
  const { count = 1 } = config.approvals ?? {}
  const others = count > 1 ? `; ${count} different people are needed` : ''
  return {
    note: `${requestedBy} had approved it already at ${timeText(earlier.at)}: it counts once${others}`,
  }
}

/** Who names a plan means this one: a deployment that was planned anew meanwhile is not what they have seen. */
function checkPlan({ decision, plan }: DecisionRequest, deployment: StoredDeployment): void {
  if (decision === 'approve' && plan !== undefined && !deployment.planHash.startsWith(plan))
    throw planNotWaiting({
      deployment: deployment.id,
      plan,
      found: deployment.planHash,
      environment: deployment.environment,
      version: deployment.document.plan.version,
    })
}

/** Environments that jobs of a run wait for. */
async function waitingEnvironments(query: Query, run: string): Promise<readonly string[]> {
  const jobs = await loadJobs(query, run)
  const names = jobs.flatMap((job) =>
    job.state === 'waiting' && job.leg?.environment !== undefined ? [job.leg.environment.name] : [],
  )
  return [...new Set(names)]
}

function checkApprover(
  ticket: TicketOf<DecisionRequest>,
  asked: { readonly config: EnvironmentConfig; readonly authors: readonly string[] },
): void {
  const { approvals, name } = asked.config
  const actor = ticket.requestedBy
  if (ticket.request.decision === 'reject') return
  if (approvals === undefined) throw approvalNotNeeded({ environment: name, subject: ticket.request.subject })
  if (approvals.from.length > 0 && !approvals.from.includes(actor)) {
    throw approverNotAllowed({ actor, environment: name, why: `only ${approvals.from.join(', ')} may` })
  }
  if (approvals.notAuthor && asked.authors.includes(actor)) {
    throw approverNotAllowed({ actor, environment: name, why: 'it is their own change or request ("notAuthor")' })
  }
}

interface Recorded {
  readonly ticket: TicketOf<DecisionRequest>
  readonly config: EnvironmentConfig
  readonly application: string
  readonly subject: string
  readonly bound: { readonly release: string; readonly planHash: string } | undefined
}

async function record(
  context: DeliveryContext,
  query: Query,
  { ticket, config, application, subject, bound }: Recorded,
): Promise<void> {
  await insertDecision(query, {
    id: context.ids.next('apr'),
    application,
    environment: config.name,
    subject,
    ...bound,
    decision: ticket.request.decision,
    actor: ticket.requestedBy,
    ...given(ticket),
    ...(config.approvals === undefined ? {} : { expiresAt: context.clock.now() + config.approvals.expiresMs }),
  })
}

function recordedEvent(ticket: TicketOf<DecisionRequest>, config: EnvironmentConfig) {
  const { decision } = ticket.request
  return {
    type: 'approval.recorded',
    environment: config.name,
    decision,
    actor: ticket.requestedBy,
    ...given(ticket),
  } as const
}

function given(ticket: TicketOf<DecisionRequest>): { readonly reason?: string } {
  return ticket.request.reason === undefined ? {} : { reason: ticket.request.reason }
}
