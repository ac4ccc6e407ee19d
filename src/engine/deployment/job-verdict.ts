import { checkEnvironment } from '#core/environment/check.ts'
import type { EnvironmentFacts, Verdict, Verification } from '#core/environment/check.ts'
import { freshAnswers } from '#core/gate/answer.ts'
import { judgeGates } from '#core/gate/judge.ts'
import { isFromFork } from '#core/trigger/fork.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import type { StoredApplication } from '#store/application.ts'
import { decisionsOn } from '#store/approval.ts'
import { loadEnvironment } from '#store/environment.ts'
import { latestEvidence } from '#store/evidence.ts'
import { answersFor } from '#store/gate-answer.ts'
import { loadJobs } from '#store/job.ts'
import type { StoredJob } from '#store/job.ts'
import { releaseOfRun } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import { askGates } from './ask-gates.ts'
import { authorsOfRun } from './authors.ts'
import type { DeliveryContext } from './context.ts'
import { loadSecrets } from './load-secrets.ts'
import type { UnsealedEvidence } from './collect-evidence.ts'
import { timeFacts, verifications } from './question.ts'
import { siblingsOf } from './release-evidence.ts'

/**
 * What the rules of an environment say to a job that names it. An environment that `shipway.yml` does not know has no rules, as on
 * GitHub. Whether another deployment is under way plays no part: the job may deploy nothing, and `concurrency` is there for it.
 */
export async function jobVerdict(
  context: DeliveryContext,
  unsealed: UnsealedEvidence,
  runId: string,
  environment: string,
): Promise<Verdict> {
  const { query } = context.store
  const run = await loadRun(query, runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${runId}`)
  const application = await loadApplication(query, run.application)
  const config = application?.config.environments.find((candidate) => candidate.name === environment)
  if (application === undefined || config === undefined) return { kind: 'pass' }

  const release = await releaseOfRun(query, run.id)
  const state = await loadEnvironment(query, run.application, environment)
  const kept = loadSecrets(context, { application: run.application, environment, tickets: [] })
  const now = context.clock.now()
  const place = { application: run.application }
  const facts: EnvironmentFacts = {
    ...(await timeFacts(query, { place, release, config, now })),
    ...(await gateFacts(context, unsealed, { application, config, run, current: state.current })),
    ...(state.lock === undefined ? {} : { lock: state.lock }),
    ...(state.hold === undefined ? {} : { hold: state.hold }),
    verifications: await jobVerifications(query, { application, config, run }),
    decisions: ofAttempt(run, await decisionsOn(query, run.id, environment)),
    outdatedApprovals: 0,
    hasRunBefore: false,
    missingSecrets: config.secrets.filter(
      (name) => !run.document.secretNames.includes(name) && kept[name] === undefined,
    ),
  }
  const subject = {
    id: run.id,
    application: run.application,
    kind: 'job',
    ref: run.ref,
    dirty: run.document.dirty,
    isFromFork: isFromFork(run.document.github),
    isAutomatic: true,
    authors: await authorsOfRun(query, run),
    ...(release === undefined
      ? {}
      : {
          release: {
            id: release.id,
            version: release.manifest.version,
            ...(release.bad === undefined ? {} : { bad: release.bad }),
          },
        }),
  } as const
  return checkEnvironment({ config, subject, facts, now })
}

/** What the gates say to what the run, and the others of its event, have uploaded so far. */
async function gateFacts(
  context: DeliveryContext,
  unsealed: UnsealedEvidence,
  asked: {
    readonly application: StoredApplication
    readonly config: EnvironmentConfig
    readonly run: StoredRun
    readonly current: string | undefined
  },
): Promise<Pick<EnvironmentFacts, 'gates' | 'evidencePending'>> {
  const { application, config, run, current } = asked
  if (config.gates === undefined) return {}
  const { query } = context.store
  const runs = (await siblingsOf(query, run)).map(({ id }) => id)
  const before = current === undefined ? undefined : await latestEvidence(query, current)
  const now = context.clock.now()
  const pending = await runningJob(query, runs)
  return {
    ...(pending === undefined ? {} : { evidencePending: pending.name }),
    gates: judgeGates(config.gates, {
      source: run,
      answers: freshAnswers(await answersFor(query, { subject: run.id, environment: config.name }), {
        now,
        from: attemptStart(run),
      }),
      evidence: await unsealed.of(context, { run, runs, config: application.config.release }),
      previous: before?.reports ?? [],
      waivers: application.config.waivers,
      buildMs: now - run.createdAt,
      now,
    }),
  }
}

/** A job that waits for nothing but a runner, or has one: two jobs that wait for their environments never wait for each other. */
async function runningJob(query: Query, runs: readonly string[]): Promise<StoredJob | undefined> {
  for (const run of runs) {
    const running = (await loadJobs(query, run)).find(({ state }) => state === 'ready' || state === 'leased')
    if (running !== undefined) return running
  }
  return undefined
}

/** Verified by a deployment of the run's release, or by jobs of the same run that named the other environment and are green. */
async function jobVerifications(
  query: Query,
  asked: { readonly application: StoredApplication; readonly config: EnvironmentConfig; readonly run: StoredRun },
): Promise<Readonly<Record<string, Verification>>> {
  const release = await releaseOfRun(query, asked.run.id)
  const byRelease = release === undefined ? {} : await verifications(query, { ...asked, release })
  const jobs = await loadJobs(query, asked.run.id)
  return Object.fromEntries(
    asked.config.after.map((name): [string, Verification] => {
      const deployed = byRelease[name]
      if (deployed !== undefined && deployed.kind !== 'missing') return [name, deployed]
      const { verifiedBy = [] } =
        asked.application.config.environments.find((environment) => environment.name === name) ?? {}
      return [
        name,
        verifiedByJobs(jobs, { name, verifiedBy }) ??
          deployed ?? { kind: 'missing', why: 'this run has not been there' },
      ]
    }),
  )
}

function verifiedByJobs(
  jobs: readonly StoredJob[],
  environment: { readonly name: string; readonly verifiedBy: readonly string[] },
): Verification | undefined {
  const there = jobs.filter((job) => job.leg?.environment?.name === environment.name)
  if (there.length === 0) return undefined
  const counted = [...there, ...jobs.filter((job) => environment.verifiedBy.includes(job.jobId))]
  const red = counted.find((job) => job.state === 'done' && job.conclusion !== 'success')
  if (red !== undefined)
    return { kind: 'missing', why: `the job "${red.name}" of this run ended with ${red.conclusion ?? 'nothing'}` }
  const open = counted.find((job) => job.state !== 'done')
  return open === undefined
    ? { kind: 'verified' }
    : { kind: 'pending', why: `the job "${open.name}" of this run is not finished` }
}

/** Who has approved an attempt has not approved the next one: as on GitHub, a job that runs again asks again. */
function ofAttempt<T extends { readonly at: number }>(run: StoredRun, decisions: readonly T[]): readonly T[] {
  return decisions.filter(({ at }) => at >= attemptStart(run))
}

function attemptStart({ attempt, startedAt }: StoredRun): number {
  return attempt === 1 ? 0 : (startedAt ?? 0)
}

/** Asks other services for the gates of a job that waits for nothing else; what they say is in the store then. */
export async function askForJob(
  context: DeliveryContext,
  unsealed: UnsealedEvidence,
  asked: { readonly run: string; readonly environment: string },
  signal: AbortSignal,
): Promise<void> {
  const { query } = context.store
  const run = await loadRun(query, asked.run)
  const application = run === undefined ? undefined : await loadApplication(query, run.application)
  const config = application?.config.environments.find(({ name }) => name === asked.environment)
  if (run === undefined || application === undefined || config?.gates === undefined) return
  const runs = (await siblingsOf(query, run)).map(({ id }) => id)
  const release = await releaseOfRun(query, run.id)
  await askGates(
    context,
    {
      place: { subject: run.id, environment: config.name },
      application: run.application,
      gates: config.gates,
      source: run,
      ...(release === undefined ? {} : { release: release.id }),
      evidence: await unsealed.of(context, { run, runs, config: application.config.release }),
      tickets: [run.ticket],
      from: attemptStart(run),
      isStopped: async () => (await loadRun(query, run.id))?.state === 'done',
    },
    signal,
  )
}
