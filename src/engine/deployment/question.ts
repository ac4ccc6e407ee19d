import type { EnvironmentFacts, EnvironmentQuestion, Verification } from '#core/environment/check.ts'
import { freshAnswers } from '#core/gate/answer.ts'
import type { GateAnswer } from '#core/gate/answer.ts'
import { judgeGates } from '#core/gate/judge.ts'
import { isFromFork } from '#core/trigger/fork.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { StoredApplication } from '#store/application.ts'
import { approvalsOfPlan, decisionsOn } from '#store/approval.ts'
import type { StoredDecision } from '#store/approval.ts'
import { hasSucceeded, openDeploymentsOf, timeServed } from '#store/deployment.ts'
import type { StoredDeployment } from '#store/deployment.ts'
import { loadEnvironment } from '#store/environment.ts'
import { latestEvidence } from '#store/evidence.ts'
import { answersFor } from '#store/gate-answer.ts'
import { loadJobs } from '#store/job.ts'
import { loadRelease } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { DeliveryContext } from './context.ts'
import { crossedContracts } from './crossed-contracts.ts'
import { siblingsOf } from './release-evidence.ts'
import { firstProved, kinOf } from './same-content.ts'
import type { Kin } from './same-content.ts'
import { missingSecrets } from './secret-versions.ts'

/** A deployment that the rules are asked about; it may not be in the store yet. */
export type Candidate = Pick<StoredDeployment, 'id' | 'application' | 'environment' | 'run' | 'kind' | 'planHash'> & {
  readonly document: Pick<StoredDeployment['document'], 'isAutomatic' | 'isForced' | 'authors' | 'secretTickets'>
}

/** What the question needs of the world. */
export interface QuestionContext {
  readonly clock: Pick<DeliveryContext['clock'], 'now'>
  readonly files: Pick<DeliveryContext['files'], 'readText'>
}

/** Collects everything that the rules of an environment look at for a deployment. Statements only, so it may run in a transaction. */
export async function deploymentQuestion(
  context: QuestionContext,
  query: Query,
  asked: {
    readonly candidate: Candidate
    readonly release: Release
    readonly application: StoredApplication
    readonly config: EnvironmentConfig
    /** What services have said just now; absent: what they have said to the candidate. */
    readonly answers?: readonly GateAnswer[]
  },
): Promise<EnvironmentQuestion> {
  const { candidate, release, config, application } = asked
  const place = { application: candidate.application, environment: candidate.environment }
  const state = await loadEnvironment(query, place.application, place.environment)
  const others = (await openDeploymentsOf(query, place)).filter((other) => other.id !== candidate.id)
  const active = others.find(
    (other) => isUnderWay(other) || (other.kind === 'rollback' && candidate.kind !== 'rollback'),
  )
  const own = await decisionsOn(query, candidate.id, candidate.environment)
  const now = context.clock.now()
  const newer = candidate.document.isAutomatic
    ? await newerRelease(query, release, [state.current, ...others.map((other) => other.release)])
    : undefined
  return {
    config,
    now,
    subject: {
      id: candidate.id,
      application: candidate.application,
      kind: candidate.kind,
      ref: release.manifest.source.ref,
      dirty: release.manifest.source.dirty,
      isFromFork: await wasForked(query, release),
      isAutomatic: candidate.document.isAutomatic,
      isForced: candidate.document.isForced === true,
      authors: candidate.document.authors,
      release: {
        id: release.id,
        version: release.manifest.version,
        ...(release.bad === undefined ? {} : { bad: release.bad }),
      },
    },
    facts: {
      ...(state.lock === undefined ? {} : { lock: state.lock }),
      ...(state.hold === undefined ? {} : { hold: state.hold }),
      ...(active === undefined
        ? {}
        : { active: { id: active.id, version: active.document.plan.version, phase: active.state } }),
      ...(newer === undefined ? {} : { newer }),
      contracts: await crossedContracts(query, place, { release, isRollback: candidate.kind === 'rollback' }),
      verifications: await verifications(query, { application, config, release }),
      decisions: await boundDecisions(query, candidate, { own, release }),
      outdatedApprovals: own.filter(
        (decision) => decision.decision === 'approve' && decision.planHash !== candidate.planHash,
      ).length,
      ...(await timeFacts(query, { place, release, config, now })),
      ...(await gateResults(query, { ...asked, current: state.current, now })),
      hasRunBefore: await hasSucceeded(query, place, release.id),
      missingSecrets: await missingSecrets(context, query, { deployment: candidate, release, config }),
    },
  }
}

/** Events that tell of a pull request, and so of the repository that it comes from. */
const pullEvents = /^(?:pull_request|workflow_run$)/

/**
 * A release of a pull request whose run nobody knows may be of a stranger. The ref alone does not tell: with `pull_request_target` it is the branch that
 * is asked to take the change.
 */
async function wasForked(query: Query, { run: id, manifest }: Release): Promise<boolean> {
  const run = id === undefined ? undefined : await loadRun(query, id)
  if (run === undefined) return /^refs\/(?:pull|merge-requests)\//.test(manifest.source.ref)
  return pullEvents.test(run.event) && isFromFork(run.document.github)
}

/** What depends on the time. The calendar is loaded only where there are windows. */
export async function timeFacts(
  query: Query,
  asked: {
    readonly place: { readonly application: string }
    /** Absent: nothing was sealed that could have been anywhere. */
    readonly release: Release | undefined
    readonly config: EnvironmentConfig
    readonly now: number
  },
): Promise<Pick<EnvironmentFacts, 'freeze' | 'soaked'>> {
  const { config, now, release } = asked
  const freeze = await currentFreeze(config, now)
  if (config.soakMs === undefined) return freeze === undefined ? {} : { freeze }
  const soaked: [string, { readonly ms: number; readonly isRunning: boolean }][] = []
  if (release !== undefined) {
    const releases = (await kinOf(query, release)).same.map(({ id }) => id)
    for (const environment of config.after) {
      const place = { application: asked.place.application, environment }
      soaked.push([environment, await timeServed(query, place, releases, now)])
    }
  }
  return { ...(freeze === undefined ? {} : { freeze }), soaked: Object.fromEntries(soaked) }
}

/** The window of an environment that is open now. */
async function currentFreeze(config: EnvironmentConfig, now: number): Promise<EnvironmentFacts['freeze']> {
  if (config.freeze === undefined || config.freeze.length === 0) return undefined
  const { freezeAt } = await import('#core/environment/freeze.ts')
  return freezeAt(config.freeze, now)
}

/** What the gates say; nothing where the environment has none. */
async function gateResults(
  query: Query,
  asked: {
    readonly candidate: Pick<Candidate, 'id'>
    readonly release: Release
    readonly application: StoredApplication
    readonly config: EnvironmentConfig
    readonly current: string | undefined
    readonly now: number
    readonly answers?: readonly GateAnswer[]
  },
): Promise<Pick<EnvironmentFacts, 'gates'>> {
  const { release, config, current, now } = asked
  if (config.gates === undefined) return {}
  const kept =
    asked.answers ??
    freshAnswers(await answersFor(query, { subject: asked.candidate.id, environment: config.name }), { now })
  const evidence = await latestEvidence(query, release.id)
  const before = current === undefined || current === release.id ? undefined : await latestEvidence(query, current)
  const run = release.run === undefined ? undefined : await loadRun(query, release.run)
  return {
    gates: judgeGates(config.gates, {
      source: release.manifest.source,
      answers: kept,
      evidence: evidence?.reports ?? [],
      previous: before?.reports ?? [],
      waivers: asked.application.config.waivers,
      ...(run === undefined ? {} : { buildMs: release.createdAt - run.createdAt }),
      now,
    }),
  }
}

/** True from the first act on a target to the end. */
export function isUnderWay(deployment: Pick<StoredDeployment, 'state'>): boolean {
  return deployment.state !== 'queued' && deployment.state !== 'waiting' && deployment.state !== 'done'
}

/** For each environment that must come before: has it run the release, and are its jobs green? */
export async function verifications(
  query: Query,
  asked: { readonly application: StoredApplication; readonly config: EnvironmentConfig; readonly release: Release },
): Promise<Readonly<Record<string, Verification>>> {
  const found: [string, Verification][] = []
  if (asked.config.after.length === 0) return {}
  const kin = await kinOf(query, asked.release)
  for (const name of asked.config.after) {
    const before = asked.application.config.environments.find((environment) => environment.name === name)
    const question = { name, jobs: before?.verifiedBy ?? [], application: asked.application.name }
    found.push([name, await anyVerification(query, kin, question)])
  }
  return Object.fromEntries(found)
}

/** What is said of the release itself, unless another one of the same content is verified, or may be soon. */
async function anyVerification(
  query: Query,
  { same, other }: Kin,
  question: { readonly application: string; readonly name: string; readonly jobs: readonly string[] },
): Promise<Verification> {
  const all: Verification[] = []
  for (const release of same) {
    const one = await verification(query, { ...question, release })
    if (one.kind === 'verified') return one
    all.push(one)
  }
  const [own] = all
  const pending = all.find(({ kind }) => kind === 'pending')
  if (pending !== undefined || own?.kind !== 'missing') return pending ?? { kind: 'missing', why: 'nothing ran there' }
  const place = { application: question.application, environment: question.name }
  const like = await firstProved(query, place, other)
  const [release] = same
  if (like === undefined || release === undefined) return own
  const [theirs, ours] = [like.manifest.version, release.manifest.version]
  const why = `${own.why}; ${theirs} of the same commit ran there, with another content (\`shipway release compare ${theirs} ${ours}\`)`
  return { kind: 'missing', why }
}

async function verification(
  query: Query,
  asked: {
    readonly application: string
    readonly name: string
    readonly release: Release
    readonly jobs: readonly string[]
  },
): Promise<Verification> {
  const { application, name, release } = asked
  const place = { application, environment: name }
  if (!(await hasSucceeded(query, place, release.id))) {
    const open = (await openDeploymentsOf(query, place)).find((deployment) => deployment.release === release.id)
    if (open !== undefined)
      return {
        kind: 'pending',
        why: `the deployment ${open.id} there is ${isUnderWay(open) ? `in ${open.state}` : 'waiting'}`,
      }
    return { kind: 'missing', why: `it has not run ${release.manifest.version} with success` }
  }
  if (asked.jobs.length === 0) return { kind: 'verified' }
  if (release.run === undefined)
    return { kind: 'missing', why: `no run is known that could have proved it (jobs: ${asked.jobs.join(', ')})` }
  return jobVerification(query, release.run, asked.jobs)
}

async function jobVerification(query: Query, run: string, names: readonly string[]): Promise<Verification> {
  const found = await loadRun(query, run)
  const runs = found === undefined ? [run] : (await siblingsOf(query, found)).map(({ id }) => id)
  const jobs = (await Promise.all(runs.map(async (id) => loadJobs(query, id)))).flat()
  let pending: string | undefined
  for (const name of names) {
    const legs = jobs.filter((job) => job.jobId === name)
    if (legs.length === 0) return { kind: 'missing', why: `the run ${run} has no job "${name}"` }
    const red = legs.find((leg) => leg.state === 'done' && leg.conclusion !== 'success')
    if (red !== undefined)
      return { kind: 'missing', why: `its job "${red.name}" ended with ${red.conclusion ?? 'nothing'}` }
    if (legs.some((leg) => leg.state !== 'done')) pending = `its job "${name}" is not finished`
  }
  return pending === undefined ? { kind: 'verified' } : { kind: 'pending', why: pending }
}

/**
 * Decisions that count: rejections of this deployment, approvals of this release with this plan, and approvals of the run that asked, as far as
 * the release is its own: what a step of it deploys beside that nobody has seen.
 */
async function boundDecisions(
  query: Query,
  candidate: Candidate,
  known: { readonly own: readonly StoredDecision[]; readonly release: Release },
): Promise<EnvironmentFacts['decisions']> {
  const place = { application: candidate.application, environment: candidate.environment }
  const approvals = await approvalsOfPlan(query, place, {
    release: known.release.id,
    planHash: candidate.planHash,
    deployment: candidate.id,
  })
  // Whoever approved the job of the run is not asked a second time by the deployment that this job starts.
  const run = await runBehind(query, candidate, known.release)
  const ofRun = run === undefined ? [] : await decisionsOn(query, run, candidate.environment)
  return [
    ...known.own.filter(({ decision }) => decision === 'reject'),
    ...approvals,
    ...ofRun.filter(({ decision, planHash }) => decision === 'approve' && planHash === undefined),
  ]
}

/**
 * The run that asked, when the release is what it has built. A tag that is run again builds the release of the first run once more, and the
 * release names that one.
 */
async function runBehind(query: Query, candidate: Candidate, release: Release): Promise<string | undefined> {
  if (candidate.run === undefined || candidate.run === release.run) return candidate.run
  const run = await loadRun(query, candidate.run)
  const { source, application } = release.manifest
  const isSameSource =
    run?.application === application &&
    run.sha === source.sha &&
    run.ref === source.ref &&
    run.document.dirty === source.dirty
  return isSameSource ? run.id : undefined
}

/** Of some releases, the first that was sealed by a later run of the same ref. Run ids sort by time. */
async function newerRelease(
  query: Query,
  release: Release,
  others: readonly (string | undefined)[],
): Promise<{ readonly version: string } | undefined> {
  for (const id of new Set(others)) {
    if (id === undefined || id === release.id) continue
    const other = await loadRelease(query, id)
    if (
      other?.run === undefined ||
      release.run === undefined ||
      other.manifest.source.ref !== release.manifest.source.ref
    )
      continue
    if (other.run > release.run) return { version: other.manifest.version }
  }
  return undefined
}
