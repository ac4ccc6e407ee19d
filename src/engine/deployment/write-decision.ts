import type { AuditFact } from '#core/audit/entry.ts'
import { decide } from '#core/deployment/decide.ts'
import { rolledBackBy } from '#core/deployment/reasons.ts'
import { rollbackWays } from '#core/deployment/rollback-target.ts'
import type { DeploymentDocument } from '#core/deployment/document.ts'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import type { DeploymentDecision, DeploymentInput, DeploymentState, DeploymentWrite } from '#core/deployment/state.ts'
import type { DeploymentEvent } from '#core/run/event.ts'
import { unreachable } from '#core/unreachable.ts'
import { appendAudit } from '#store/audit.ts'
import type { AuditSeal } from '#store/audit.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadDeployment, succeededDeployments, updateDeployment } from '#store/deployment.ts'
import type { DeploymentStateName, StoredDeployment } from '#store/deployment.ts'
import { holdEnvironment, loadEnvironment, setCurrentRelease } from '#store/environment.ts'
import { noteDeployment } from '../issue/note-outcome.ts'
import { publishOfDeployment } from '../publication/note-publication.ts'
import { appendEvents } from '#store/event.ts'
import { markReleaseBad } from '#store/release.ts'

/** What else is written with a decision. */
export interface DecisionExtras {
  readonly document?: Partial<DeploymentDocument>
  readonly planHash?: string
  readonly started?: boolean
  /** Kept when the decision is the last one. */
  readonly receipt?: DeploymentReceipt
  /** Told before the events of the decision. */
  readonly events?: readonly DeploymentEvent[]
}

/**
 * Feeds one input to a deployment inside a transaction: loads, decides, writes the row, its consequences and its events. Whoever
 * drives the deployment reads the effects from the new state.
 */
export async function writeDecision(
  seal: AuditSeal,
  query: Query,
  id: string,
  input: DeploymentInput,
  extras: DecisionExtras = {},
): Promise<DeploymentDecision> {
  const deployment = await loadDeployment(query, id)
  if (deployment === undefined) throw new Error(`Invariant broken: there is no deployment ${id}`)
  const decision = decide(deployment.document.machine, input)
  const { state, writes } = decision
  const isDone = state.phase === 'done'
  const document = { ...deployment.document, ...extras.document, machine: state }
  await updateDeployment(query, id, {
    state: stateName(state),
    reason: state.reason ?? null,
    document,
    ...(state.conclusion === undefined ? {} : { conclusion: state.conclusion }),
    ...(extras.planHash === undefined ? {} : { planHash: extras.planHash }),
    ...(extras.started === true ? { started: true } : {}),
    ...(isDone && deployment.state !== 'done' ? { finished: true } : {}),
    ...(isDone && extras.receipt !== undefined ? { receipt: extras.receipt } : {}),
  })
  for (const write of writes) await applyWrite(query, deployment, write)
  for (const fact of auditFacts(deployment, decision)) await appendAudit(query, seal, fact)
  if (isDone && deployment.state !== 'done') {
    await noteDeployment(query, deployment, {
      conclusion: state.conclusion ?? '',
      ...(state.reason === undefined ? {} : { reason: state.reason.message }),
    })
    await publishOfDeployment(query, deployment, state.conclusion ?? '')
  }
  const events = [...(extras.events ?? []), ...eventsOf(deployment, writes)]
  if (events.length > 0) await appendEvents(query, { table: 'deployment', id }, events)
  return decision
}

function stateName(state: DeploymentState): DeploymentStateName {
  if (state.phase !== 'gate') return state.phase
  return state.reason === undefined ? 'queued' : 'waiting'
}

async function applyWrite(query: Query, deployment: StoredDeployment, write: DeploymentWrite): Promise<void> {
  const place = { application: deployment.application, environment: deployment.environment }
  switch (write.kind) {
    case 'event':
      return
    case 'current':
      await setCurrentRelease(query, place, { release: deployment.release, deployment: deployment.id })
      return
    case 'left':
      await markLeft(query, deployment)
      return
    case 'hold':
      await holdEnvironment(query, place, { by: deployment.requestedBy, reason: write.reason.message })
      return
    case 'bad':
      await markReleaseBad(query, deployment.release, {
        environment: deployment.environment,
        reason: write.reason.message,
      })
      return
    default:
      unreachable(write)
  }
}

/** What somebody went back from comes back neither by itself nor by mistake: `resume` takes the mark away. */
async function markLeft(query: Query, deployment: StoredDeployment): Promise<void> {
  const place = { application: deployment.application, environment: deployment.environment }
  const { current } = await loadEnvironment(query, place.application, place.environment)
  const { left } = rollbackWays(await succeededDeployments(query, place))
  if (current !== undefined && left.includes(current))
    await markReleaseBad(query, current, {
      environment: place.environment,
      reason: rolledBackBy(deployment.requestedBy, deployment.document.reason),
    })
}

function eventsOf(deployment: StoredDeployment, writes: readonly DeploymentWrite[]): readonly DeploymentEvent[] {
  return writes.flatMap((write): readonly DeploymentEvent[] => {
    if (write.kind === 'event') return [write.event]
    return write.kind === 'hold'
      ? [{ type: 'environment.held', environment: deployment.environment, reason: write.reason }]
      : []
  })
}

/** What came of it: the end of the deployment, and a hold. */
function auditFacts(deployment: StoredDeployment, { state, writes }: DeploymentDecision): readonly AuditFact[] {
  const { application, environment, id, release, kind, requestedBy } = deployment
  const about = { actor: requestedBy, application, environment, subject: id }
  const hold = writes.find((write) => write.kind === 'hold')
  const isEnd = state.phase === 'done' && deployment.state !== 'done'
  const outcome = { conclusion: state.conclusion ?? null, reason: state.reason?.code ?? null }
  const { version } = deployment.document.plan
  return [
    ...(isEnd
      ? [
          {
            ...about,
            action: 'deployment.finished',
            detail: { release, version, mode: kind, plan: deployment.planHash, ...outcome },
          },
        ]
      : []),
    ...(hold?.kind === 'hold' ? [{ ...about, action: 'environment.held', detail: { reason: hold.reason.code } }] : []),
  ]
}
