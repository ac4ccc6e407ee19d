import { checkEnvironment } from '#core/environment/check.ts'
import type { EnvironmentFacts, Verdict, Verification } from '#core/environment/check.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import type { StoredApplication } from '#store/application.ts'
import { decisionsOn } from '#store/approval.ts'
import { loadEnvironment } from '#store/environment.ts'
import { loadJobs } from '#store/job.ts'
import type { StoredJob } from '#store/job.ts'
import { releaseOfRun } from '#store/release.ts'
import { loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import type { DeliveryContext } from './context.ts'
import { loadSecrets } from './load-secrets.ts'
import { currentFreeze, verifications } from './question.ts'

/**
 * What the rules of an environment say to a job that names it. An environment that `shipway.yml` does not know has no rules, as on
 * GitHub. Whether another deployment is under way plays no part: the job may deploy nothing, and `concurrency` is there for it.
 */
export async function jobVerdict(context: DeliveryContext, runId: string, environment: string): Promise<Verdict> {
  const { query } = context.store
  const run = await loadRun(query, runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${runId}`)
  const application = await loadApplication(query, run.application)
  const config = application?.config.environments.find((candidate) => candidate.name === environment)
  if (application === undefined || config === undefined) return { kind: 'pass' }

  const release = await releaseOfRun(query, run.id)
  const state = await loadEnvironment(query, run.application, environment)
  const kept = loadSecrets(context, { application: run.application, environment, tickets: [] })
  const freeze = await currentFreeze(config, context.clock.now())
  const facts: EnvironmentFacts = {
    ...(freeze === undefined ? {} : { freeze }),
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
    isAutomatic: true,
    authors: [run.actor],
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
  return checkEnvironment({ config, subject, facts, now: context.clock.now() })
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
  const since = run.attempt === 1 ? 0 : (run.startedAt ?? 0)
  return decisions.filter(({ at }) => at >= since)
}
