import { refNotAdmitted } from '../environment/reasons.ts'
import { admitsRef } from '../environment/ref-rule.ts'
import { renderDuration } from '../project/duration.ts'
import { shortDigest, shortVersion } from './name.ts'
import type { DeploymentSummary, EnvironmentView, ReleaseSummary, RunView } from './model.ts'
import { item, red } from './why-answer.ts'
import type { WhyAnswer, WhyItem } from './why-answer.ts'
import { approvalCode, blocks, deploymentItems, whoMayApprove } from './why-deployment.ts'
import { whyRun } from './why-run.ts'

/** Why an environment does not take what somebody wants it to take. */
export function whyEnvironment(environment: EnvironmentView): WhyAnswer {
  const items = waitingAt(environment)
  const { last, current } = environment
  if (last?.reason !== undefined && last.conclusion !== 'success' && last.id !== current?.deployment) {
    items.push(red(`${shortVersion(last.version)} → ${environment.name}`, last.reason))
  }
  for (const mark of current?.bad ?? [])
    items.push(
      item('note', environment.name, {
        code: 'RELEASE_BAD',
        message: `${shortVersion(current?.version ?? '')}, which runs here, was put back on ${mark.environment}: ${mark.reason}`,
      }),
    )
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
  const bad = (release.bad ?? []).map((mark) =>
    red(`release ${shortVersion(release.version)}`, {
      code: 'RELEASE_BAD',
      message: `It was put back on ${mark.environment}: ${mark.reason}`,
    }),
  )
  const elsewhere = environments
    .filter((environment) => !places.includes(environment.name))
    .flatMap((environment): readonly WhyItem[] => {
      const latest = deployments.find((deployment) => deployment.environment === environment.name)
      if (latest !== undefined && latest.conclusion !== 'success') return deploymentItems(latest, environment, [])
      if (environment.from.length > 0 && !admitsRef(environment.from, release.ref))
        return [
          item(
            'note',
            environment.name,
            refNotAdmitted({ environment: environment.name, ref: release.ref, from: environment.from }),
          ),
        ]
      const blocked = blocks(environment)
      const missing = environment.after.filter((name) => !places.includes(name))
      if (missing.length > 0)
        return [
          ...blocked,
          item('note', environment.name, {
            code: 'ENVIRONMENT_ORDER',
            message: `It takes only what ${missing.join(' and ')} ${missing.length === 1 ? 'runs' : 'run'}.`,
            ...firstStep(missing[0] ?? '', release, environments),
          }),
        ]
      return blocked.length > 0
        ? blocked
        : [
            item('note', environment.name, {
              code: 'DEPLOYMENT_NOT_ASKED',
              message:
                latest === undefined
                  ? 'Nobody has asked for it there.'
                  : `It ran there before; ${environment.current === undefined ? 'nothing' : shortVersion(environment.current.version)} runs there now.`,
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

/** How it gets to the environment before, where that takes it at all. */
function firstStep(
  name: string,
  { ref, version }: ReleaseSummary,
  environments: readonly EnvironmentView[],
): { readonly hint?: string } {
  const from = environments.find((one) => one.name === name)?.from ?? []
  return from.length === 0 || admitsRef(from, ref) ? { hint: `shipway deploy ${name} ${version}` } : {}
}

/** State of the answer about everything when nothing is open or blocked. */
export const nothingWaits = 'nothing waits'

/** Everything that waits now: runs, deployments, and environments that let nothing through. */
export function whyAnything(runs: readonly RunView[], environments: readonly EnvironmentView[]): WhyAnswer {
  const ofRuns = runs.flatMap((run) =>
    whyRun({ ...run, deployments: [] }, environments)
      .items.filter(({ state }) => state === 'waiting')
      .map((one) => ({ ...one, about: `run #${run.number} ${one.about}` })),
  )
  const ofPlaces = environments.flatMap((environment) => waitingAt({ ...environment, waitingJobs: [] }))
  const items = [...ofRuns, ...ofPlaces.filter(({ state }) => state === 'waiting')]
  return { subject: 'everything', state: items.length === 0 ? nothingWaits : `${items.length} waiting`, items }
}

/** Everything that waits at an environment: what blocks it, its open deployments, jobs of runs. */
function waitingAt(environment: EnvironmentView): WhyItem[] {
  const who = whoMayApprove(environment)
  const jobs = environment.waitingJobs.map((job) => ({
    ...(who === undefined || job.reason.code !== approvalCode ? {} : { who }),
    ...item('waiting', `run #${job.number} job ${job.job}`, job.reason),
  }))
  const deployments = environment.open.flatMap((deployment) => deploymentItems(deployment, environment, []))
  return [...[...blocks(environment), ...deployments].filter(isNew), ...jobs]
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
  return [...items, ...conditions(environment)]
}

/** Rules that a release or the clock fulfils, not a person. */
function conditions({ name, after, soakMs, freeze, gates, secrets }: EnvironmentView): readonly WhyItem[] {
  const note = (code: string, message: string): WhyItem => item('note', name, { code, message })
  return [
    ...(soakMs === undefined
      ? []
      : [note('ENVIRONMENT_SOAK', `It takes what ${after.join(' and ')} has run for ${renderDuration(soakMs)}.`)]),
    ...(freeze === undefined ? [] : [note('ENVIRONMENT_FREEZE', `It is frozen at times: ${freeze.join('; ')}.`)]),
    ...(gates === undefined ? [] : [note('ENVIRONMENT_GATES', `Its gates ask for evidence: ${gates.join(', ')}.`)]),
    ...(secrets === undefined
      ? []
      : [note('ENVIRONMENT_SECRETS', `Nothing starts without its secrets: ${secrets.join(', ')}.`)]),
  ]
}
