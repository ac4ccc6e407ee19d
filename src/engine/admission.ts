import { subjectFinished, subjectNotFound } from '#core/known/home.ts'
import { ticketFact } from '#core/audit/ticket-fact.ts'
import type { CancelRequest, Ticket, TicketOutcome } from '#core/ticket/model.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { TicketSigner } from '#core/ticket/signature.ts'
import { checkTicketLimits } from '#core/ticket/limits.ts'
import { unreachable } from '#core/unreachable.ts'
import { appendAudit } from '#store/audit.ts'
import { saveApplication } from '#store/application.ts'
import { finishTicket, insertTicket, loadTicket } from '#store/ticket.ts'
import { openDeployments } from '#store/deployment.ts'
import { loadRun } from '#store/run.ts'
import type { Query } from '#ports/sql-driver.ts'
import { insertRuns, prepareRuns } from './admit-run.ts'
import { admitRerun } from './admit-rerun.ts'
import { checkRepository } from './check-repository.ts'
import { checkSecrets } from './check-secrets.ts'
import { checkTag } from './check-tag.ts'
import type { AgentContext } from './context.ts'
import type { TicketOf } from './delivery.ts'
import { refusal } from './inbox.ts'
import type { ClaimedTicket } from './inbox.ts'
import { admitPublication } from './publication/admit-publication.ts'
import { freshRules, rulesAskedBy } from './refresh-rules.ts'
import type { FreshRules } from './refresh-rules.ts'
import { loadSecrets } from './run-secrets.ts'

export interface Admission {
  readonly outcome: TicketOutcome
  /** The ticket was admitted before: what it led to is there already. */
  readonly isDuplicate: boolean
}

/**
 * Turns a claimed ticket into what it asks for. The ticket's row, what it became and its outcome are one transaction, and a ticket is
 * admitted once whatever happens around it. A refusal is an outcome too and is recorded.
 */
export async function admit(context: AgentContext, claimed: ClaimedTicket): Promise<Admission> {
  const { ticket, digest } = claimed
  let signer: TicketSigner | undefined
  const known = await loadTicket(context.store.query, ticket.id)
  if (known?.outcome !== undefined) return { outcome: known.outcome, isDuplicate: true }
  try {
    signer = await signerOf(context, claimed)
    return { outcome: await enter(context, claimed, signer), isDuplicate: false }
  } catch (error) {
    // A ticket that uncovers a mistake of ours is refused like any other: thrown on, it would end every agent that finds it.
    const outcome = refusal(error)
    await context.store.transaction(async (query) => {
      await insertTicket(query, ticket, digest)
      await finishTicket(query, ticket.id, outcome)
      await appendAudit(query, context, ticketFact(ticket, outcome, signer))
    })
    return { outcome, isDuplicate: false }
  }
}

/** Every signature must be good; the first one says who asks. Without any the request is what the inbox lets in. */
async function signerOf(context: AgentContext, claimed: ClaimedTicket): Promise<TicketSigner | undefined> {
  const { files } = context
  const signers: TicketSigner[] = []
  for (const signature of claimed.signatures) {
    const hasFile = files.readText(homeLayout.allowedSigners) !== undefined
    const file = hasFile ? files.absolute(homeLayout.allowedSigners) : undefined
    signers.push(await context.checkSignature(claimed.signed, signature, file))
  }
  return signers[0]
}

async function enter(
  context: AgentContext,
  { ticket, digest }: ClaimedTicket,
  signer: TicketSigner | undefined,
): Promise<TicketOutcome> {
  const work = await prepare(context, ticket)
  const asked = await rulesAskedBy(context.store.query, ticket.request)
  const rules = asked === undefined ? undefined : await freshRules(context, context.store.query, asked)
  return context.store.transaction(async (query) => {
    await insertTicket(query, ticket, digest)
    if (rules !== undefined) await putIntoForce(context, query, ticket, rules)
    const outcome = await work(query)
    await finishTicket(query, ticket.id, outcome, outcome.kind === 'accepted' ? outcome.subjects[0] : undefined)
    await appendAudit(query, context, ticketFact(ticket, outcome, signer))
    return outcome
  })
}

/** Also when the ticket is then refused: the rules are the newest whatever was asked. */
async function putIntoForce(
  context: AgentContext,
  query: Query,
  { id, requestedBy }: Ticket,
  rules: FreshRules,
): Promise<void> {
  await saveApplication(query, rules)
  await appendAudit(query, context, {
    actor: requestedBy,
    action: 'rules.taken',
    application: rules.name,
    subject: id,
    detail: { sha: rules.configSha },
  })
}

/** Does what takes long outside the transaction, and returns what belongs into it. */
async function prepare(context: AgentContext, ticket: Ticket): Promise<(query: Query) => Promise<TicketOutcome>> {
  const { request } = ticket
  if (request.kind === 'run' || request.kind === 'rerun')
    checkTicketLimits(request, loadSecrets(context.files, ticket.id))
  switch (request.kind) {
    case 'run': {
      await checkRepository(context, request)
      const prepared = await prepareRuns(context, request)
      await checkTag(context.store.query, request)
      await checkSecrets(context, request, prepared)
      return async (query) => {
        const { commit, isInForce } = prepared
        if (commit.project !== undefined) {
          const { application, repository, event } = request
          await context.delivery.registerApplication(query, {
            application,
            repository,
            sha: event.sha,
            ref: event.ref,
            configText: commit.project,
            isInForce,
          })
        }
        return { kind: 'accepted', subjects: await insertRuns(context, query, { ...ticket, request }, prepared) }
      }
    }
    case 'rerun':
      return async (query) => admitRerun(context.files, query, { ...ticket, request })
    case 'deploy':
      // `run: shipway deploy staging` in a step: what its run has built so far is sealed by asking for it.
      if (request.run !== undefined && request.release === undefined) await context.delivery.sealRun(request.run)
      return async (query) => context.delivery.admitDeploy(query, { ...ticket, request })
    case 'decision':
      return async (query) => context.delivery.admitDecision(query, { ...ticket, request })
    case 'environment':
      return async (query) => context.delivery.admitEnvironment(query, { ...ticket, request })
    case 'backup':
      return async (query) => context.delivery.admitBackup(query, { ...ticket, request })
    case 'restore':
      return async (query) => context.delivery.admitRestore(query, { ...ticket, request })
    case 'release':
      return context.delivery.prepareImport({ ...ticket, request })
    case 'publish':
      return async (query) => admitPublication(query, { ...ticket, request })
    case 'cancel':
      return async (query) => admitCancel(context, query, { ...ticket, request })
    default:
      return unreachable(request)
  }
}

/**
 * Cancelling a run is an input to its state machine, which the agent feeds after the commit. What the run has asked to be deployed is
 * cancelled with it: by a step, or by a run that has ended in the meantime (`auto`).
 */
async function admitCancel(
  context: AgentContext,
  query: Query,
  ticket: TicketOf<CancelRequest>,
): Promise<TicketOutcome> {
  const { subject, reason } = ticket.request
  if (subject.startsWith('dep_'))
    return context.delivery.cancel(query, subject, ticket.requestedBy, reason ?? 'Cancelled by hand.')
  if (subject.startsWith('bkp_') || subject.startsWith('rst_'))
    return context.delivery.cancelDatabase(query, subject, ticket.requestedBy, reason ?? 'cancelled by hand')
  const run = await loadRun(query, subject)
  if (run === undefined) throw subjectNotFound({ subject })
  const deployments = await cancelDeployments(context, query, ticket)
  if (run.state !== 'done') return { kind: 'accepted', subjects: [subject, ...deployments] }
  if (deployments.length === 0) throw subjectFinished({ subject, conclusion: run.conclusion ?? 'unknown' })
  return { kind: 'accepted', subjects: deployments }
}

/** Returns those that could still be cancelled. */
async function cancelDeployments(
  context: AgentContext,
  query: Query,
  { request, requestedBy }: TicketOf<CancelRequest>,
): Promise<readonly string[]> {
  const cancelled: string[] = []
  for (const { id, run } of await openDeployments(query)) {
    if (run !== request.subject) continue
    const outcome = await context.delivery.cancel(query, id, requestedBy, request.reason ?? 'Its run was cancelled.')
    if (outcome.kind === 'accepted') cancelled.push(id)
  }
  return cancelled
}
