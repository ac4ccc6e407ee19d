import path from 'node:path'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import type { TargetReport } from '#cli/services.ts'
import type { EnvironmentConfig, TargetConfig } from '#core/project/model.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'

interface Place {
  readonly application: string
  readonly environment: EnvironmentConfig
  /** Folder that relative targets are relative to. */
  readonly projectRoot: string
}

/** Asks all targets of an environment at once what runs there. */
export async function inspectTargets(place: Place, signal: AbortSignal): Promise<readonly TargetReport[]> {
  await using driver = directoryDriver({ openShell, clock: systemClock })
  const { application, environment } = place
  return Promise.all(
    environment.targets.map(async (written) => {
      const target = absoluteTarget(written, place.projectRoot)
      return { target, state: await driver.inspect({ target, application, environment: environment.name }, signal) }
    }),
  )
}

function absoluteTarget(target: TargetConfig, root: string): TargetConfig {
  return target.kind === 'local' ? { ...target, path: path.resolve(root, target.path) } : target
}
