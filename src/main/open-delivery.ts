import { blobStore } from '#adapters/blob-store/blob-store.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import { httpProbe } from '#adapters/http-probe/http-probe.ts'
import { postgresTool } from '#adapters/postgres-tool/postgres-tool.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { Delivery } from '#engine/delivery.ts'
import type { DeliveryContext } from '#engine/deployment/context.ts'
import { DeploymentLoop } from '#engine/deployment/deployment-loop.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import { deployDrivers } from './deploy-drivers.ts'
import { version } from './version.ts'

/** Releases and deployments with the real drivers: one line per driver. */
export function openDelivery(
  base: Omit<
    DeliveryContext,
    'program' | 'files' | 'blobs' | 'backups' | 'databases' | 'probe' | 'askQuality' | 'askReviews' | 'drivers'
  > & {
    readonly files: HomeFiles
  },
): Delivery {
  const { clock, files } = base
  return new DeploymentLoop({
    ...base,
    program: version,
    blobs: blobStore({ root: files.absolute(homeLayout.blobs), tmp: files.absolute(homeLayout.tmp) }),
    backups: blobStore({
      root: files.absolute(homeLayout.backups),
      tmp: files.absolute(homeLayout.tmp),
      isPrivate: true,
    }),
    databases: postgresTool(openShell),
    probe: httpProbe,
    askQuality: async (...args) => (await import('#adapters/sonarqube/ask-quality.ts')).askQuality(...args),
    askReviews: async (...args) => (await import('#adapters/forge/ask-reviews.ts')).askReviews(...args),
    drivers: deployDrivers(clock),
  })
}
