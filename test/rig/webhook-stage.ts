import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#adapters/clock/system-clock.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { WebhookTarget } from '#core/webhook/model.ts'
import { webhookDriver } from '#drivers/webhook/driver.ts'
import type { DeployDriver } from '#ports/deploy-driver.ts'
import type { DriverStage } from './driver-contract.ts'
import { Coolify, coolifyToken } from './coolify.ts'

/**
 * A stage for the driver webhook: a server that answers as Coolify does. It serves the version of the last deployment that finished, and nothing of
 * a release's files, so `served` tells the version whatever is asked. The suite hands the stage's target back in every order and looks at nothing
 * in it, so that its kind may be another than a host.
 */
export async function webhookStage(): Promise<DriverStage & { readonly coolify: Coolify }> {
  const coolify = await Coolify.start()
  const home = await mkdtemp(join(tmpdir(), 'shipway-webhook-'))
  const target: WebhookTarget = {
    kind: 'webhook',
    name: 'coolify',
    url: `${coolify.url}/api/v1`,
    call: {
      kind: 'coolify',
      application: 'app1',
      token: 'TOKEN',
      set: { docker_registry_image_tag: '${{ release.version }}' },
      force: false,
      withinMs: 20_000,
      everyMs: 10,
    },
  }
  const open = (): DeployDriver<WebhookTarget> & AsyncDisposable => ({
    ...webhookDriver({ clock: systemClock }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
  return {
    coolify,
    home,
    target: target as unknown as HostTarget,
    open: open as unknown as DriverStage['open'],
    settings: { secrets: { TOKEN: coolifyToken } },
    served: () => Promise.resolve(coolify.running),
    restart: '',
    restarts: () => Promise.resolve([]),
    [Symbol.asyncDispose]: async () => {
      await coolify[Symbol.asyncDispose]()
      await rm(home, { recursive: true, force: true })
    },
  }
}
