import type { EnvironmentConfig } from '#core/project/model.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import type { EnvironmentView } from '#core/view/model.ts'
import type { TargetFinding } from '#core/view/status-matrix.ts'
import { viewApplications } from '#store/view-environment.ts'
import { loadRelease } from '#store/release.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { TargetReport } from './services.ts'
import type { Session } from './session.ts'

/** Time that all targets together may take to answer. Milliseconds. */
const askMsMax = 30_000

interface Place {
  readonly environment: EnvironmentView
  readonly config: EnvironmentConfig
  readonly repository: string
}

/**
 * Compares what is recorded with the targets. Without `isAsked` only folders on this machine are looked at, which costs nothing; with it every target
 * of every environment is asked, all at the same time, and one that does not answer is unknown.
 */
export async function checkTargets(
  session: Session,
  q: Query | undefined,
  environments: readonly EnvironmentView[],
  isAsked: boolean,
): Promise<ReadonlyMap<EnvironmentView, TargetFinding>> {
  const applications = q === undefined ? [] : await viewApplications(q)
  const places = environments.flatMap((environment): readonly Place[] => {
    const application = applications.find(({ name }) => name === environment.application)
    const config = application?.config?.environments.find(({ name }) => name === environment.name)
    return application === undefined || config === undefined
      ? []
      : [{ environment, config, repository: application.repository }]
  })
  const signal = AbortSignal.timeout(askMsMax)
  const findings = await Promise.all(
    places.map(async (place): Promise<[EnvironmentView, TargetFinding]> => [
      place.environment,
      {
        ...(isAsked ? await ask(session, q, place, signal) : await glance(session, place)),
        ...(await freezeOf(session, place)),
      },
    ]),
  )
  return new Map(findings)
}

/** The window that is open now, whoever was asked. The calendar is loaded only where there are windows. */
async function freezeOf(session: Session, { config }: Place): Promise<Pick<TargetFinding, 'freeze'>> {
  if (config.freeze === undefined || config.freeze.length === 0) return {}
  const { freezeAt } = await import('#core/environment/freeze.ts')
  const freeze = freezeAt(config.freeze, session.world.now())
  return freeze === undefined ? {} : { freeze }
}

/** A folder that is gone cannot run anything. */
async function glance(session: Session, { environment, config, repository }: Place): Promise<TargetFinding> {
  if (environment.current === undefined) return { isAsked: false, problems: [], unknown: [] }
  const missing = await session.services.missingFolders(config.targets, repository)
  return { isAsked: false, problems: missing.map((name) => `${name} is gone`), unknown: [] }
}

async function ask(session: Session, q: Query | undefined, place: Place, signal: AbortSignal): Promise<TargetFinding> {
  const { environment, config, repository } = place
  const { current } = environment
  const believed = q === undefined || current === undefined ? undefined : await loadRelease(q, current.release)
  const from = { projectRoot: repository, home: session.home, ...(believed === undefined ? {} : { believed }) }
  const [reports, health] = await Promise.all([
    session.services.inspectTargets(environment.application, config, from, signal),
    believed === undefined ? undefined : session.services.askHealth(config, believed, signal),
  ])
  return {
    isAsked: true,
    ...(health === undefined ? {} : { health }),
    problems: reports.flatMap((report) => problemOf(environment, report)),
    unknown: reports.flatMap(({ target, state }) =>
      state.kind === 'unknown' ? [`${target.name} unknown: ${state.why}`] : [],
    ),
  }
}

function problemOf({ current }: EnvironmentView, { target, state }: TargetReport): readonly string[] {
  if (state.kind === 'unknown') return []
  if (state.current === current?.release)
    return state.says?.isIll === true ? [`${target.name} says ${state.says.text}`] : []
  if (state.current === undefined) return [`${target.name} runs nothing`]
  return [`${target.name} runs ${shortVersion(state.version ?? shortDigest(state.current))}`]
}
