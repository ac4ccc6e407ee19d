import { isJsonObject } from '#core/json.ts'
import type { JsonObject } from '#core/json.ts'
import type { Ticket, TicketOutcome, TicketRequest } from '#core/ticket/model.ts'
import type { TicketSigner } from '#core/ticket/signature.ts'
import { unreachable } from '#core/unreachable.ts'
import type { AuditFact } from './entry.ts'

/** What a ticket asked for and what became of it, for the audit. No values of inputs, variables or secrets are in it. */
export function ticketFact(ticket: Ticket, outcome: TicketOutcome, signer?: TicketSigner): AuditFact {
  const { id, request } = ticket
  const { subject, ...about } = aboutOf(request)
  const became: JsonObject =
    outcome.kind === 'accepted'
      ? { outcome: 'accepted', subjects: outcome.subjects }
      : { outcome: 'refused', code: isJsonObject(outcome.error) ? (outcome.error['code'] ?? null) : null }
  const acted = outcome.kind === 'accepted' ? outcome.subjects[0] : undefined
  return {
    actor: actorOf(ticket, signer),
    action: actionOf(request),
    ...about,
    subject: subject ?? acted ?? id,
    detail: { ticket: id, ...whoOf(ticket, signer), ...detailOf(request), ...became },
  }
}

/**
 * Who asked, by the best that is known: the key that has signed, else the user and machine that it came from, or the login that a forge has
 * named. The name in the request is what somebody says of himself.
 */
function actorOf({ requestedBy, origin }: Ticket, signer: TicketSigner | undefined): string {
  if (signer !== undefined) return signer.fingerprint
  if (origin === undefined) return requestedBy
  return origin.kind === 'forge' ? origin.login : `${origin.login}@${origin.host}`
}

/** Every other name of whoever asked: `shipway audit --actor NAME` finds them too. */
function whoOf({ requestedBy, origin }: Ticket, signer: TicketSigner | undefined): JsonObject {
  return {
    login: requestedBy,
    ...(origin?.kind === 'machine' && signer !== undefined ? { from: `${origin.login}@${origin.host}` } : {}),
    ...(origin?.kind === 'forge' ? { forge: origin.forge } : {}),
    ...(signer?.principal === undefined ? {} : { principal: signer.principal }),
  }
}

function actionOf(request: TicketRequest): string {
  switch (request.kind) {
    case 'run':
      return 'run.requested'
    case 'deploy':
      return `${request.mode}.requested`
    case 'decision':
      return request.decision === 'approve' ? 'deployment.approved' : 'deployment.rejected'
    case 'environment':
      return `environment.${request.action}`
    case 'cancel':
      return 'work.cancelled'
    case 'release':
      return request.action === 'create' ? 'release.created' : 'release.imported'
    case 'publish':
      return 'release.publication-requested'
    case 'rerun':
      return 'run.repeated'
    case 'backup':
      return 'backup.requested'
    case 'restore':
      return 'restore.requested'
    default:
      return unreachable(request)
  }
}

function aboutOf(request: TicketRequest): Pick<AuditFact, 'application' | 'environment' | 'subject'> {
  return {
    ...('application' in request ? { application: request.application } : {}),
    ...('environment' in request && request.environment !== undefined ? { environment: request.environment } : {}),
    ...('subject' in request ? { subject: request.subject } : {}),
  }
}

function detailOf(request: TicketRequest): JsonObject {
  const reason = 'reason' in request && request.reason !== undefined ? { reason: request.reason } : {}
  switch (request.kind) {
    case 'run': {
      const { event, dirty } = request
      const { sender } = event.payload
      // Whom the forge names in the payload of an event.
      const login = isJsonObject(sender) && typeof sender['login'] === 'string' ? { sender: sender['login'] } : {}
      return { event: event.name, ref: event.ref, sha: event.sha, dirty, ...login }
    }
    case 'deploy':
      return {
        release: request.release ?? null,
        run: request.run ?? null,
        ...(request.plan === undefined ? {} : { plan: request.plan }),
        ...(request.isForced === true ? { forced: true } : {}),
        ...reason,
      }
    case 'decision':
      return { ...(request.plan === undefined ? {} : { plan: request.plan }), ...reason }
    case 'environment': {
      const { secret, version } = request
      const about = secret === undefined ? {} : { secret, ...(version === undefined ? {} : { version }) }
      return { until: request.until ?? null, ...about, ...reason }
    }
    case 'publish':
      return { release: request.release, ...(request.isForced === true ? { forced: true } : {}) }
    case 'restore':
      return { backup: request.backup, ...reason }
    default:
      return reason
  }
}
