import { composeFiles } from '#core/compose/model.ts'
import { readComposed } from '#core/compose/composed.ts'
import { planDeployment, sealedEnvironment } from '#core/deployment/plan.ts'
import type { DeploymentPlan, RunningTarget } from '#core/deployment/plan.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadRelease } from '#store/release.ts'
import { crossedContracts } from './crossed-contracts.ts'

/** Larger compose files are read by the hosts alone. */
const composeBytesMax = 1024 * 1024

/** A plan with the releases that run on the targets, as far as the store knows them. Statements only, so it may be made in a transaction. */
export async function makePlan(
  files: Pick<HomeFiles, 'readText'>,
  query: Query,
  input: {
    readonly mode: DeploymentPlan['mode']
    readonly environment: EnvironmentConfig
    readonly release: Release
    /** In the order of the environment's targets. */
    readonly running: readonly RunningTarget[]
    readonly pathsMax?: number
  },
): Promise<DeploymentPlan> {
  const { release, environment, mode } = input
  const known = new Map<string, Release>()
  for (const id of new Set(input.running.map((target) => target.release))) {
    const found = id === undefined ? undefined : await loadRelease(query, id)
    if (found !== undefined) known.set(found.id, found)
  }
  const place = { application: release.manifest.application, environment: environment.name }
  const crossed = await crossedContracts(query, place, { release, isRollback: mode === 'rollback' })
  return planDeployment({
    ...input,
    known,
    crosses: crossed.map(({ version }) => version),
    servicesOf: (one) => servicesOf(files, one, environment),
  })
}

/** What the compose files of a release name, in their order; undefined where it has none, or not all of them can be read here. */
function servicesOf(
  files: Pick<HomeFiles, 'readText'>,
  release: Release,
  environment: EnvironmentConfig,
): readonly string[] | undefined {
  const { compose } = sealedEnvironment(release, environment)
  if (compose === undefined) return undefined
  const digests = new Map(release.manifest.files.map(({ path, digest }) => [path, digest]))
  const names = new Set<string>()
  for (const path of composeFiles(compose, new Set(digests.keys())) ?? []) {
    const digest = digests.get(path)
    const text = digest === undefined ? undefined : files.readText(homeLayout.blob(digest), composeBytesMax)
    const composed = text === undefined ? undefined : readComposed(text)
    if (composed === undefined || typeof composed === 'string') return undefined
    for (const { name } of composed.services) names.add(name)
  }
  return names.size === 0 ? undefined : [...names]
}
