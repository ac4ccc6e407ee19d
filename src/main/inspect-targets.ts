import { readFileSync } from 'node:fs'
import path from 'node:path'
import { systemClock } from '#adapters/clock/system-clock.ts'
import type { InspectPlace, TargetReport } from '#cli/services.ts'
import { KnownError } from '#core/errors.ts'
import type { EnvironmentConfig, TargetConfig } from '#core/project/model.ts'
import { secretsOfTargets } from '#core/project/target.ts'
import { loadSecrets } from '#engine/deployment/load-secrets.ts'
import type { DeployDriver, TargetFinding } from '#ports/deploy-driver.ts'
import { deployDrivers } from './deploy-drivers.ts'

interface Place extends InspectPlace {
  readonly application: string
  readonly environment: EnvironmentConfig
}

/** Asks all targets of an environment at once what runs there. */
export async function inspectTargets(place: Place, signal: AbortSignal): Promise<readonly TargetReport[]> {
  const { application, environment, believed } = place
  await using drivers = deployDrivers(systemClock)
  const driver = drivers[environment.driver]
  const order = {
    application,
    environment: environment.name,
    secrets: secretsFor(place),
    ...(believed === undefined ? {} : { believed }),
  }
  return Promise.all(
    environment.targets.map(async (written) => {
      const target = absoluteTarget(written, place.projectRoot)
      const state = await driver.inspect({ ...order, target }, signal)
      if (place.isExamined === true && state.kind === 'known' && driver.examine !== undefined)
        return { target, state, findings: await findingsOn(driver, { target, environment }, signal) }
      const isSame = believed !== undefined && state.kind === 'known' && state.current === believed.id
      if (place.isDeep !== true || !isSame || driver.compareFiles === undefined) return { target, state }
      return { target, state, files: await driver.compareFiles({ ...order, target, release: believed }, signal) }
    }),
  )
}

/** What cannot be looked at is a finding too. */
async function findingsOn(
  driver: DeployDriver<TargetConfig>,
  { target, environment }: { readonly target: TargetConfig; readonly environment: EnvironmentConfig },
  signal: AbortSignal,
): Promise<readonly TargetFinding[]> {
  try {
    const { compose, blueGreen } = environment
    const groups = { ...(compose === undefined ? {} : { compose }), ...(blueGreen === undefined ? {} : { blueGreen }) }
    return (await driver.examine?.({ target, ...groups }, signal)) ?? []
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return [{ name: 'look', status: 'fail', found: error.message, fix: error.hint ?? 'Check the host.' }]
  }
}

/** Only what the way to the targets needs leaves the home. */
function secretsFor({ home, application, environment }: Place): Readonly<Record<string, string>> {
  const names = secretsOfTargets(environment.targets)
  if (names.length === 0) return {}
  const files = { readText: (file: string, bytesMax?: number) => readText(path.join(home, file), bytesMax) }
  const given = loadSecrets({ files }, { application, environment: environment.name, tickets: [] })
  return Object.fromEntries(names.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]]])))
}

function readText(file: string, bytesMax = Number.POSITIVE_INFINITY): string | undefined {
  try {
    const text = readFileSync(file)
    return text.length > bytesMax ? undefined : text.toString('utf8')
  } catch {
    return undefined
  }
}

function absoluteTarget(target: TargetConfig, root: string): TargetConfig {
  return target.kind === 'local' ? { ...target, path: path.resolve(root, target.path) } : target
}
