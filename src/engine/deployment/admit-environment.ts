import { timeText } from '#core/environment/reasons.ts'
import { environmentAlreadyLocked } from '#core/known/environment.ts'
import type { EnvironmentRequest, TicketOutcome } from '#core/ticket/model.ts'
import { unreachable } from '#core/unreachable.ts'
import type { Query } from '#ports/sql-driver.ts'
import { openDeploymentsOf } from '#store/deployment.ts'
import { loadEnvironment, lockEnvironment, resumeEnvironment, unlockEnvironment } from '#store/environment.ts'
import { clearBadReleases } from '#store/release.ts'
import type { TicketOf } from '../delivery.ts'
import { findEnvironment } from './find-environment.ts'
import type { DeliveryContext } from './context.ts'
import { revokeSecret } from './revoke-secret.ts'

/** Locks, unlocks, lifts a hold, or revokes former values of a secret. The subjects of the outcome are the deployments that this concerns. */
export async function admitEnvironment(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<EnvironmentRequest>,
): Promise<TicketOutcome> {
  const { request } = ticket
  await findEnvironment(query, request)
  const place = { application: request.application, environment: request.environment }
  const note = await act(context, query, ticket)
  const waiting = (await openDeploymentsOf(query, place)).filter(
    (deployment) => deployment.document.machine.phase === 'gate',
  )
  return { kind: 'accepted', subjects: waiting.map(({ id }) => id), ...(note === undefined ? {} : { note }) }
}

async function act(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<EnvironmentRequest>,
): Promise<string | undefined> {
  const { request, requestedBy } = ticket
  const place = { application: request.application, environment: request.environment }
  const { lock: written, hold } = await loadEnvironment(query, place.application, place.environment)
  const isOver = written?.until !== undefined && written.until <= context.clock.now()
  const lock = isOver ? undefined : written
  switch (request.action) {
    case 'lock': {
      if (lock !== undefined && lock.by !== requestedBy)
        throw environmentAlreadyLocked({ environment: request.environment, ...lock })
      await lockEnvironment(query, place, {
        by: requestedBy,
        ...(request.reason === undefined ? {} : { reason: request.reason }),
        ...(request.until === undefined ? {} : { until: request.until }),
      })
      return lock === undefined ? undefined : replacedLock(lock)
    }
    case 'unlock':
      await unlockEnvironment(query, place)
      return lock === undefined ? 'it was not locked' : `it was locked by ${lock.by}`
    case 'resume':
      await resumeEnvironment(query, place)
      await clearBadReleases(query, place.application, place.environment)
      return hold === undefined ? 'it was not held' : `it was held: ${hold.reason}`
    case 'revoke-secret':
      return revokeSecret(context, place, {
        name: request.secret ?? '',
        version: request.version,
        by: requestedBy,
        ...(request.reason === undefined ? {} : { reason: request.reason }),
      })
    default:
      return unreachable(request.action)
  }
}

/** Whoever locks again may not know what the lock of before said. */
function replacedLock({ reason, until }: { readonly reason?: string; readonly until?: number }): string {
  const why = reason === undefined ? 'without a reason' : `"${reason}"`
  return `in place of the lock of before: ${why}${until === undefined ? '' : `, until ${timeText(until)}`}`
}
