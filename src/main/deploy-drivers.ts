import { openShell } from '#adapters/host-shell/open-shell.ts'
import type { DriverName, TargetConfig } from '#core/project/model.ts'
import { composeDriver } from '#drivers/compose/driver.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'
import { webhookDriver } from '#drivers/webhook/driver.ts'
import type { Clock } from '#ports/clock.ts'
import type { DeployDriver } from '#ports/deploy-driver.ts'

/** The real drivers: one line per driver. `shipway.yml` gives each only targets of its own kind. Disposing of them closes their connections. */
export function deployDrivers(
  clock: Clock,
): Readonly<Record<DriverName, DeployDriver<TargetConfig>>> & AsyncDisposable {
  const directory = directoryDriver({ openShell, clock })
  return {
    directory,
    compose: composeDriver(directory),
    webhook: webhookDriver({ clock }),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  }
}
