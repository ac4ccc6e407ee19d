import { rehearsalRefused, rollbackTargetMissing } from '#core/known/deployment.ts'
import { exitCodeOf } from '#core/errors.ts'
import type { DeploymentSummary, EnvironmentView } from '#core/view/model.ts'
import { shortVersion } from '#core/view/name.ts'
import { viewDeployments } from '#store/view.ts'
import type { Query } from '#ports/sql-driver.ts'
import { confirm } from './confirm.ts'
import { deployRequest, exitOfDeployment, planCall } from './deploy-call.ts'
import type { DeployCall } from './deploy-call.ts'
import { exitOfSignal } from './exit-code.ts'
import { knownEnvironments } from './find-environment.ts'
import { deploymentMark } from './live/mark.ts'
import { tookAndReceipt } from './live/ending.ts'
import { readFilledHome } from './open-home.ts'
import type { Session } from './session.ts'
import { performRequest } from './work.ts'

/** One half of a rehearsal. */
interface Leg {
  readonly way: 'back' | 'forward'
  readonly deployment: DeploymentSummary
  readonly exit: number
}

/**
 * Goes back as a rollback would and comes forward again at once, and says how long each took and whether health held. Both are rollbacks
 * that hold nothing, so that nothing waits for a person afterwards. Whatever came of the way back, the way forward is tried, as long as
 * the environment does not run the release that it began with.
 */
export async function rehearseRollback(session: Session, call: DeployCall): Promise<number> {
  const { environment, current, release } = await readFilledHome(session, async (q) => planRehearsal(session, q, call))
  const from = shortVersion(current.version)
  const there = shortVersion(release.version)
  const title = `Rehearse a rollback of ${environment.application} on ${environment.name}: ${from} → ${there} → ${from}`
  if (call.flags.dryRun === true) {
    session.print(title)
    return 0
  }
  await confirm(session, title, call.flags.yes === true)
  const legs: Leg[] = []
  for (const [way, id] of [
    ['back', release.id],
    ['forward', current.release],
  ] as const) {
    const leg = await perform(session, call, { way, environment, release: id })
    if ('interrupted' in leg) return leg.interrupted
    legs.push(leg)
    // Nothing was changed, or it is back already.
    if (leg.deployment.conclusion !== 'success' && leg.deployment.reason?.code !== 'ROLLBACK_UNHEALTHY') break
  }
  return conclude(session, title, legs)
}

async function planRehearsal(session: Session, q: Query, call: DeployCall) {
  const { environment, release } = await planCall(session, q, call)
  const { name, current, application, approvals, after } = environment
  if (current === undefined || release === undefined || release.id === current.release)
    throw rollbackTargetMissing({ environment: name, ...(current === undefined ? {} : { current: current.version }) })
  if (approvals !== undefined) throw rehearsalRefused({ environment: name, why: 'releases need an approval there' })
  const all = await knownEnvironments(session, q, application)
  if (after.length > 0 && !all.some((other) => other.after.includes(name)))
    throw rehearsalRefused({ environment: name, why: `it comes last, after ${after.join(', ')}` })
  return { environment, current, release }
}

async function perform(
  session: Session,
  call: DeployCall,
  { way, environment, release }: { way: Leg['way']; environment: EnvironmentView; release: string },
): Promise<Leg | { readonly interrupted: number }> {
  const reason = call.flags.reason ?? 'rehearsal of a rollback'
  const request = deployRequest({ ...call, flags: { ...call.flags, reason } }, { environment, release })
  const result = await performRequest(
    session,
    { ...request, isRehearsal: true },
    { watch: 'until-waiting', liveTo: 'stderr', hasLogs: call.flags.logs ?? true, tellsEnds: true, priority: 'P1' },
  )
  if (result.interruptedBy !== undefined) return { interrupted: exitOfSignal[result.interruptedBy] }
  const [id = ''] = result.subjects
  const [deployment] = await readFilledHome(session, async (q) => viewDeployments(q, { id, limit: 1 }))
  if (deployment === undefined) throw new Error(`Invariant broken: the deployment ${id} is not in the store`)
  return { way, deployment, exit: exitOfDeployment(deployment, result) }
}

function conclude(session: Session, title: string, legs: readonly Leg[]): number {
  const exit = Math.max(...legs.map((leg) => leg.exit))
  const isWhole = legs.length === 2
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'Rehearsal',
      isHealthy: isWhole && exit === 0,
      items: legs.map(({ way, deployment }) => ({
        way,
        tookMs: deployment.receipt?.totalMs ?? null,
        requests: deployment.receipt?.traffic?.requests ?? null,
        failedRequests: deployment.receipt?.traffic?.failures ?? null,
        deployment,
      })),
    })
  } else {
    if (!session.isQuiet) session.print(title)
    for (const leg of legs) session.print(legLine(session, leg))
  }
  return isWhole ? exit : Math.max(exit, exitCodeOf.red)
}

/** `✓ back     v1.4.1 in 0.8s · 214 requests, 0 failed`. */
function legLine({ out }: Session, { way, deployment }: Leg): string {
  const { conclusion, reason } = deployment
  const symbol = conclusion === undefined ? out.paint('yellow', '⏳') : deploymentMark(conclusion, out.paint)
  const health = deployment.receipt?.health
  const held =
    health === undefined
      ? 'no health rule'
      : conclusion === 'success'
        ? 'health held'
        : `health did not hold: ${health.last}`
  const why = reason === undefined ? '' : `: ${reason.message}`
  return `  ${symbol} ${way.padEnd(7)} ${shortVersion(deployment.version)}${tookAndReceipt(deployment)} · ${held}${why}`
}
