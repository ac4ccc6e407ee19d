import { rolledBackBy } from '#core/deployment/reasons.ts'
import { environmentWithoutTargets } from '#core/known/environment.ts'
import { planHash } from '#core/deployment/plan.ts'
import { planSubjectDrift } from '#core/deployment/plan-drift.ts'
import { checkEnvironment } from '#core/environment/check.ts'
import { superseded } from '#core/environment/reasons.ts'
import {
  deploymentRefused,
  forceUnexplained,
  promotionUnclear,
  runCancelled,
  runForeign,
  runReleaseMissing,
} from '#core/known/deployment.ts'
import { subjectNotFound } from '#core/known/home.ts'
import { planForeign } from '#core/known/plan.ts'
import { releaseAmbiguous, releaseNotFound } from '#core/known/release.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { DeployRequest, TicketOutcome } from '#core/ticket/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { StoredApplication } from '#store/application.ts'
import { deploymentOfRun, insertDeployment, openDeploymentsOf, updateDeployment } from '#store/deployment.ts'
import type { NewDeployment, StoredDeployment } from '#store/deployment.ts'
import { loadEnvironment } from '#store/environment.ts'
import { appendEvent } from '#store/event.ts'
import { findReleases, latestRelease, listReleases, loadRelease, markReleaseBad, releaseOfRun } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { TicketOf } from '../delivery.ts'
import type { DeliveryContext } from './context.ts'
import { authorsOfRelease } from './authors.ts'
import { findEnvironment } from './find-environment.ts'
import { makePlan } from './make-plan.ts'
import { isReplacing, previousGood } from './previous-good.ts'
import { readSavedPlan } from './saved-plan.ts'
import { deploymentQuestion, isUnderWay } from './question.ts'
import { writeDecision } from './write-decision.ts'

/**
 * Makes a deployment of a request, or joins one that is there. A request that the rules can only refuse is refused now, with the rule's
 * reason; one that time or a person can help waits. Older ones that wait for the same environment give way. Statements only: the
 * plan rests on what the store believes until the targets are asked.
 */
export async function admitDeploy(
  context: DeliveryContext,
  query: Query,
  ticket: TicketOf<DeployRequest>,
): Promise<TicketOutcome> {
  const { request } = ticket
  if (request.isForced === true && (request.reason ?? '').trim() === '') throw forceUnexplained()
  const { application, config } = await findEnvironment(query, request)
  if (config.targets.length === 0) throw environmentWithoutTargets({ environment: config.name })
  await checkRun(query, request)
  const release = await findRelease(query, request, config)
  checkPlan(context, request, release)
  const open = await openDeploymentsOf(query, { application: application.name, environment: config.name })
  const same = await findSame(query, { request, release, open })
  if (same !== undefined) {
    await join(query, same, request)
    return { kind: 'accepted', subjects: [same.id], note: `joins ${same.id}, which does the same` }
  }

  const deployment = await makeDeployment(context, query, { ticket, application, config, release })
  const verdict = checkEnvironment(
    await deploymentQuestion(context, query, { candidate: deployment, release, application, config }),
  )
  if (verdict.kind === 'refuse') throw deploymentRefused({ reason: verdict.reason })

  await insertDeployment(query, deployment)
  await appendEvent(query, { table: 'deployment', id: deployment.id }, createdEvent(deployment, config))
  if (request.run !== undefined) {
    const event = {
      type: 'deployment.requested',
      deployment: deployment.id,
      environment: config.name,
      release: release.id,
    } as const
    await appendEvent(query, { table: 'run', id: request.run }, event)
  }
  for (const older of open) if (givesWay(older, deployment)) await supersede(context, query, older, deployment)
  // Where a lock or a person is in its way, too, it stops nothing.
  const isNext = verdict.kind === 'pass' || verdict.reason.code === 'ENVIRONMENT_BUSY'
  const stopped = isNext ? await stopForRollback(context, query, { open, ticket, to: release }) : {}
  if (verdict.kind === 'wait')
    await writeDecision(context, query, deployment.id, { kind: 'wait', reason: verdict.reason })
  return { kind: 'accepted', subjects: [deployment.id], ...stopped }
}

/**
 * Whoever goes back during a fire does not wait until the release that burns is verified: its deployment is stopped, and its targets go back. Its
 * release is marked as one that somebody went back from.
 */
async function stopForRollback(
  context: DeliveryContext,
  query: Query,
  asked: {
    readonly open: readonly StoredDeployment[]
    readonly ticket: TicketOf<DeployRequest>
    readonly to: Release
  },
): Promise<{ readonly stopped?: readonly string[]; readonly note?: string }> {
  const { request, requestedBy: by } = asked.ticket
  const stopped = asked.open.filter(isReplacing)
  if (request.mode !== 'rollback' || request.isRehearsal === true || stopped.length === 0) return {}
  const reason = rolledBackBy(by, request.reason)
  const why = request.reason === undefined ? 'it is rolled back' : `it is rolled back: ${request.reason}`
  for (const { id, release, environment } of stopped) {
    await writeDecision(context, query, id, { kind: 'cancel', by, reason: why })
    if (release !== asked.to.id) await markReleaseBad(query, release, { environment, reason })
  }
  const what = stopped.map(({ id, document }) => `${document.plan.version} (${id})`).join(', ')
  return { stopped: stopped.map(({ id }) => id), note: `stops ${what}` }
}

/** A plan that this home knows must be for what is asked; one that it does not know is compared by its hash alone. */
function checkPlan(context: DeliveryContext, request: DeployRequest, release: Release): void {
  const { plan: hash, mode, application, environment } = request
  const plan = hash === undefined ? undefined : readSavedPlan(context, hash)
  if (hash === undefined || plan === undefined) return
  const { version } = release.manifest
  const differences = planSubjectDrift(plan, { mode, application, environment, release: release.id, version })
  if (differences.length > 0) throw planForeign({ plan: hash, differences, environment })
}

/** The release that a request means. */
export async function findRelease(query: Query, request: DeployRequest, config: EnvironmentConfig): Promise<Release> {
  if (request.release === undefined || request.release === '') return impliedRelease(query, request, config)
  const { release: written, application } = request
  if (written === 'latest') {
    const latest = await latestRelease(query, application)
    if (latest !== undefined) return latest
  }
  const matches = await findReleases(query, application, written)
  const [first] = matches
  if (first === undefined) {
    const known = (await listReleases(query, application, 5)).map(({ manifest }) => manifest.version)
    throw releaseNotFound({ release: written, application, known })
  }
  if (matches.length > 1)
    throw releaseAmbiguous({
      release: written,
      matches: matches.map(({ id, manifest }) => `${id.slice(0, 16)} (${manifest.version})`),
    })
  return first
}

function impliedRelease(query: Query, request: DeployRequest, config: EnvironmentConfig): Promise<Release> {
  if (request.mode === 'rollback') return previousGood(query, request)
  if (request.run !== undefined) return sealedByRun(query, request.run)
  if (request.mode === 'promote') return promoted(query, request, config)
  return findRelease(query, { ...request, release: 'latest' }, config)
}

async function sealedByRun(query: Query, run: string): Promise<Release> {
  const release = await releaseOfRun(query, run)
  if (release === undefined) throw runReleaseMissing({ run })
  return release
}

/** What all environments before this one run. */
async function promoted(query: Query, request: DeployRequest, config: EnvironmentConfig): Promise<Release> {
  const found: string[] = []
  const ids = new Set<string>()
  for (const name of config.after) {
    const { current } = await loadEnvironment(query, request.application, name)
    const release = current === undefined ? undefined : await loadRelease(query, current)
    if (release !== undefined) ids.add(release.id)
    found.push(`${name} ${release?.manifest.version ?? 'nothing'}`)
  }
  const [id] = ids
  const release = id === undefined || ids.size > 1 ? undefined : await loadRelease(query, id)
  if (release === undefined) throw promotionUnclear({ environment: config.name, found })
  return release
}

/** The approvals and the secrets of a run go with what it asks for, so nobody may name the run of somebody else. */
export async function checkRun(query: Query, { run: id, application }: DeployRequest): Promise<void> {
  if (id === undefined) return
  const run = await loadRun(query, id)
  if (run === undefined) throw subjectNotFound({ subject: id })
  if (run.application !== application) throw runForeign({ run: id, application, found: run.application })
  if (run.cancelled !== undefined) throw runCancelled({ run: id, by: run.cancelled.by })
}

/** Whoever asks by hand for what automation has asked for has it done as if by hand: a hold stops it no longer. */
async function join(query: Query, same: StoredDeployment, { run }: DeployRequest): Promise<void> {
  if (run !== undefined || !same.document.isAutomatic) return
  await updateDeployment(query, same.id, { document: { ...same.document, isAutomatic: false } })
}

/** A deployment that already does what is asked: of the same run, or one that has not begun. */
async function findSame(
  query: Query,
  asked: { readonly request: DeployRequest; readonly release: Release; readonly open: readonly StoredDeployment[] },
): Promise<StoredDeployment | undefined> {
  const { request, release, open } = asked
  if (request.run !== undefined) {
    const ofRun = await deploymentOfRun(query, request.run, request.environment, release.id)
    if (ofRun !== undefined) return ofRun
  }
  return open.find(
    (other) =>
      other.release === release.id &&
      (other.kind === 'rollback') === (request.mode === 'rollback') &&
      (request.plan === undefined || other.document.boundPlan === request.plan) &&
      !isUnderWay(other),
  )
}

async function makeDeployment(
  context: DeliveryContext,
  query: Query,
  made: {
    readonly ticket: TicketOf<DeployRequest>
    readonly application: StoredApplication
    readonly config: EnvironmentConfig
    readonly release: Release
  },
): Promise<NewDeployment> {
  const { ticket, config, release, application } = made
  const { request } = ticket
  const { current } = await loadEnvironment(query, application.name, config.name)
  const running = config.targets.map(() => (current === undefined ? {} : { release: current }))
  const plan = await makePlan(context.files, query, { mode: request.mode, environment: config, release, running })
  const run = request.run === undefined ? undefined : await loadRun(query, request.run)
  const id = context.ids.next('dep')
  return {
    id,
    application: application.name,
    environment: config.name,
    release: release.id,
    ticket: ticket.id,
    ...(request.run === undefined ? {} : { run: request.run }),
    kind: request.mode,
    state: 'queued',
    ...(current === undefined ? {} : { previous: current }),
    planHash: planHash(plan, context.sha256),
    requestedBy: ticket.requestedBy,
    document: {
      machine: {
        id,
        environment: config.name,
        release: release.id,
        mode: request.mode,
        ...(request.isRehearsal === true ? { isRehearsal: true } : {}),
        ...(context.drivers[config.driver].powers.hasTimer ? {} : { hasNoTimer: true }),
        phase: 'gate',
        targets: [],
      },
      plan,
      isInspected: false,
      ...(request.plan === undefined ? {} : { boundPlan: request.plan }),
      isAutomatic: request.run !== undefined,
      authors: await authorsOfRelease(query, release, ticket.requestedBy),
      secretTickets: [...(run === undefined ? [] : [run.ticket]), ticket.id],
      ...(request.reason === undefined ? {} : { reason: request.reason }),
      ...(request.isForced === true ? { isForced: true } : {}),
    },
  }
}

function createdEvent(deployment: NewDeployment, config: EnvironmentConfig) {
  return {
    type: 'deployment.created',
    environment: config.name,
    release: deployment.release,
    version: deployment.document.plan.version,
    kind: deployment.kind,
    targets: config.targets.map(({ name }) => name),
  } as const
}

/** A newer request replaces an older one that has not begun; what a machine asks never replaces what a person asked, and nothing but a rollback replaces one. */
function givesWay(older: StoredDeployment, newer: NewDeployment): boolean {
  if (isUnderWay(older)) return false
  if (newer.kind === 'rollback') return true
  return older.kind !== 'rollback' && (older.document.isAutomatic || !newer.document.isAutomatic)
}

async function supersede(
  context: DeliveryContext,
  query: Query,
  older: StoredDeployment,
  newer: NewDeployment,
): Promise<void> {
  const reason = superseded({ environment: older.environment, newer: newer.document.plan.version })
  await writeDecision(context, query, older.id, { kind: 'supersede', reason })
}
