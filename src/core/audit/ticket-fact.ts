import { isJsonObject } from '#core/json.ts'
import type { JsonObject } from '#core/json.ts'
import type { Ticket, TicketOutcome, TicketRequest } from '#core/ticket/model.ts'
import { unreachable } from '#core/unreachable.ts'
import type { AuditFact } from './entry.ts'

/** What a ticket asked for and what became of it, for the audit. No values of inputs, variables or secrets are in it. */
export function ticketFact({ id, requestedBy, request }: Ticket, outcome: TicketOutcome): AuditFact {
  const { subject, ...about } = aboutOf(request)
  const became: JsonObject =
    outcome.kind === 'accepted'
      ? { outcome: 'accepted', subjects: outcome.subjects }
      : { outcome: 'refused', code: isJsonObject(outcome.error) ? (outcome.error['code'] ?? null) : null }
  const acted = outcome.kind === 'accepted' ? outcome.subjects[0] : undefined
  return {
    actor: requestedBy,
    action: actionOf(request),
    ...about,
    subject: subject ?? acted ?? id,
    detail: { ticket: id, ...detailOf(request), ...became },
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
      return { event: event.name, ref: event.ref, sha: event.sha, dirty }
    }
    case 'deploy':
      return { release: request.release ?? null, run: request.run ?? null, ...reason }
    case 'environment':
      return { until: request.until ?? null, ...reason }
    case 'restore':
      return { backup: request.backup, ...reason }
    default:
      return reason
  }
}
