import type { Reason } from '#core/reason.ts'
import { shortDigest, shortVersion } from './name.ts'
import type { DecisionView, DeploymentSummary, EnvironmentView, ReleaseSummary, RunView } from './model.ts'

/** One reason why something waits or is red: which rule, who can change it, what to type. */
export interface WhyItem {
  readonly state: 'waiting' | 'red' | 'note'
  /** What the reason is about: `job test`, `staging`, `deployment dep_…`. */
  readonly about: string
  readonly rule: string
  readonly message: string
  /** Who can change it; absent when it is anybody who may write to the state home. */
  readonly who?: string
  readonly fix?: string
}

export interface WhyAnswer {
  /** `run #12 (run_…)`: what was asked about. */
  readonly subject: string
  /** One word for its state now. */
  readonly state: string
  readonly items: readonly WhyItem[]
}

/** Why a run waits or is red, with the deployments that it asked for. */
export function whyRun(run: RunView, environments: readonly EnvironmentView[]): WhyAnswer {
  const jobs = run.jobs.flatMap((job): readonly WhyItem[] => {
    const about = `job ${job.name}`
    const steps = job.steps.filter((step) => step.conclusion === 'failure')
    const failed = steps.map((step) =>
      red(about, {
        code: 'STEP_FAILED',
        message: `Step "${step.name}": ${step.reason ?? 'it failed.'}`,
        hint: `shipway logs ${run.id} --job ${job.key} --step ${step.number}`,
      }),
    )
    const reason = job.reason
    if (reason === undefined || (job.conclusion === 'failure' && failed.length > 0)) return failed
    if (job.conclusion === 'failure') return [red(about, reason)]
    if (job.conclusion === undefined) return [item('waiting', about, reason)]
    return job.conclusion === 'cancelled' || job.conclusion === 'skipped' ? [item('note', about, reason)] : []
  })
  const own =
    run.reason === undefined || jobs.some((one) => one.message === run.reason?.message)
      ? []
      : [item(run.state === 'done' ? (run.conclusion === 'success' ? 'note' : 'red') : 'waiting', 'run', run.reason)]
  const deployments = run.deployments.flatMap((deployment) =>
    deploymentItems(deployment, environmentOf(environments, deployment), []),
  )
  return {
    subject: `run #${run.number} ${run.workflow} (${run.id})`,
    state: run.conclusion ?? run.state,
    items: [...own, ...jobs, ...deployments],
  }
}

/** Why a deployment waits or was not put into place. */
export function whyDeployment(
  deployment: DeploymentSummary,
  environment: EnvironmentView | undefined,
  decisions: readonly DecisionView[],
): WhyAnswer {
  return {
    subject: `${deployment.mode} ${shortVersion(deployment.version)} → ${deployment.environment} (${deployment.id})`,
    state: deployment.conclusion ?? deployment.phase ?? deployment.state,
    items: deploymentItems(deployment, environment, decisions),
  }
}

/** Why an environment does not take what somebody wants it to take. */
export function whyEnvironment(environment: EnvironmentView): WhyAnswer {
  const items = waitingAt(environment)
  const { last, current } = environment
  if (last?.reason !== undefined && last.conclusion !== 'success' && last.id !== current?.deployment) {
    items.push(red(`${shortVersion(last.version)} → ${environment.name}`, last.reason))
  }
  const runs = current === undefined ? 'runs nothing yet' : `runs ${shortVersion(current.version)}`
  return {
    subject: `${environment.name} of ${environment.application}`,
    state: runs,
    items: [...items, ...rules(environment)],
  }
}

/** Where a release is, and what keeps it from the other environments. */
export function whyRelease(
  release: ReleaseSummary,
  environments: readonly EnvironmentView[],
  deployments: readonly DeploymentSummary[],
): WhyAnswer {
  const places = environments
    .filter((environment) => environment.current?.release === release.id)
    .map(({ name }) => name)
  const bad =
    release.bad === undefined
      ? []
      : [
          red(`release ${shortVersion(release.version)}`, {
            code: 'RELEASE_BAD',
            message: `It was put back on ${release.bad.environment}: ${release.bad.reason}`,
          }),
        ]
  const elsewhere = environments
    .filter((environment) => !places.includes(environment.name))
    .flatMap((environment): readonly WhyItem[] => {
      const latest = deployments.find((deployment) => deployment.environment === environment.name)
      if (latest !== undefined && latest.conclusion !== 'success') return deploymentItems(latest, environment, [])
      const blocked = blocks(environment)
      const missing = environment.after.filter((name) => !places.includes(name))
      if (missing.length > 0)
        return [
          ...blocked,
          item('note', environment.name, {
            code: 'ENVIRONMENT_ORDER',
            message: `It takes only what ${missing.join(' and ')} ${missing.length === 1 ? 'runs' : 'run'}.`,
            hint: `shipway deploy ${missing[0]} ${release.version}`,
          }),
        ]
      return blocked.length > 0
        ? blocked
        : [
            item('note', environment.name, {
              code: 'DEPLOYMENT_NOT_ASKED',
              message: 'Nobody has asked for it there.',
              hint: `shipway ${environment.after.length === 0 ? 'deploy' : 'promote'} ${environment.name} ${release.version}`,
            }),
          ]
    })
  return {
    subject: `release ${shortVersion(release.version)} (${shortDigest(release.id)}) of ${release.application}`,
    state: places.length === 0 ? 'runs nowhere' : `runs on ${places.join(', ')}`,
    items: [...bad, ...elsewhere],
  }
}

/** Everything that waits now: runs, deployments, and environments that let nothing through. */
export function whyAnything(runs: readonly RunView[], environments: readonly EnvironmentView[]): WhyAnswer {
  const ofRuns = runs.flatMap((run) =>
    whyRun({ ...run, deployments: [] }, environments)
      .items.filter(({ state }) => state === 'waiting')
      .map((one) => ({ ...one, about: `run #${run.number} ${one.about}` })),
  )
  const ofPlaces = environments.flatMap((environment) => waitingAt({ ...environment, waitingJobs: [] }))
  const items = [...ofRuns, ...ofPlaces.filter(({ state }) => state === 'waiting')]
  return { subject: 'everything', state: items.length === 0 ? 'nothing waits' : `${items.length} waiting`, items }
}

function deploymentItems(
  deployment: DeploymentSummary,
  environment: EnvironmentView | undefined,
  decisions: readonly DecisionView[],
): readonly WhyItem[] {
  const about = `${shortVersion(deployment.version)} → ${deployment.environment}`
  const items: WhyItem[] = []
  if (deployment.reason !== undefined) {
    const state =
      deployment.state !== 'done'
        ? 'waiting'
        : deployment.conclusion === 'success' || deployment.conclusion === 'cancelled'
          ? 'note'
          : 'red'
    const who = deployment.state === 'done' ? undefined : whoMayApprove(environment)
    items.push({ ...item(state, about, deployment.reason), ...(who === undefined ? {} : { who }) })
  }
  if (environment !== undefined && deployment.state !== 'done')
    items.push(...blocks(environment).filter((block) => !items.some((known) => known.rule === block.rule)))
  for (const decision of decisions) {
    const said = decision.decision === 'approve' ? 'approved' : 'rejected'
    items.push(
      item('note', about, {
        code: 'APPROVAL_RECORDED',
        message: `${decision.actor} ${said} it${decision.reason === undefined ? '' : `: ${decision.reason}`}.`,
      }),
    )
  }
  return items
}

function blocks(environment: EnvironmentView): WhyItem[] {
  const { lock, hold, name } = environment
  const items: WhyItem[] = []
  if (lock !== undefined) {
    items.push({
      ...item('waiting', name, {
        code: 'ENVIRONMENT_LOCKED',
        message: `${lock.by} has locked it${lock.reason === undefined ? '' : `: ${lock.reason}`}.`,
        hint: `shipway unlock ${name}`,
      }),
      who: lock.by,
    })
  }
  if (hold !== undefined) {
    items.push(
      item('waiting', name, {
        code: 'ENVIRONMENT_HELD',
        message: `It is held: ${hold.reason}`,
        hint: `shipway resume ${name}`,
      }),
    )
  }
  return items
}

/** Everything that waits at an environment: what blocks it, its open deployments, jobs of runs. */
function waitingAt(environment: EnvironmentView): WhyItem[] {
  const who = whoMayApprove(environment)
  const jobs = environment.waitingJobs.map((job) => ({
    ...item('waiting', `run #${job.number} job ${job.job}`, job.reason),
    ...(who === undefined ? {} : { who }),
  }))
  return [
    ...blocks(environment),
    ...environment.open.flatMap((deployment) => deploymentItems(deployment, environment, [])).filter(isNew),
    ...jobs,
  ]
}

/** Leaves out what repeats an item before it. */
function isNew(one: WhyItem, index: number, all: readonly WhyItem[]): boolean {
  return all.findIndex((other) => other.rule === one.rule && other.message === one.message) === index
}

function rules(environment: EnvironmentView): readonly WhyItem[] {
  const items: WhyItem[] = []
  if (!environment.isConfigured)
    items.push(
      item('note', environment.name, { code: 'ENVIRONMENT_GONE', message: 'shipway.yml does not name it any more.' }),
    )
  if (environment.after.length > 0)
    items.push(
      item('note', environment.name, {
        code: 'ENVIRONMENT_ORDER',
        message: `It takes only what ${environment.after.join(' and ')} ${environment.after.length === 1 ? 'has' : 'have'} verified.`,
      }),
    )
  if (environment.from.length > 0)
    items.push(
      item('note', environment.name, {
        code: 'ENVIRONMENT_REFS',
        message: `It takes only ${environment.from.join(', ')}.`,
      }),
    )
  const { approvals } = environment
  if (approvals !== undefined) {
    const who = whoMayApprove(environment)
    items.push({
      ...item('note', environment.name, {
        code: 'ENVIRONMENT_APPROVALS',
        message: `It needs ${approvals.count} ${approvals.count === 1 ? 'approval' : 'approvals'}${approvals.notAuthor ? ', not by the author' : ''}.`,
      }),
      ...(who === undefined ? {} : { who }),
    })
  }
  return items
}

function whoMayApprove(environment: EnvironmentView | undefined): string | undefined {
  const from = environment?.approvals?.from ?? []
  return from.length === 0 ? undefined : from.join(', ')
}

function environmentOf(
  environments: readonly EnvironmentView[],
  deployment: DeploymentSummary,
): EnvironmentView | undefined {
  return environments.find(
    (environment) => environment.application === deployment.application && environment.name === deployment.environment,
  )
}

function red(about: string, reason: Reason): WhyItem {
  return item('red', about, reason)
}

function item(state: WhyItem['state'], about: string, reason: Reason): WhyItem {
  return {
    state,
    about,
    rule: reason.code,
    message: reason.message,
    ...(reason.hint === undefined ? {} : { fix: reason.hint }),
  }
}
