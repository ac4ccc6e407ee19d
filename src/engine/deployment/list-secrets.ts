import type { Revocation } from '#core/deployment/secret-version.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'
import { lastSuccesses } from '#store/deployment.ts'
import { readFormerSecrets } from './former-secrets.ts'
import { presentVersions } from './secret-versions.ts'

/** Releases that are looked at for the versions they ran with. */
const releasesMax = 20

/** One version of a secret; its value is nowhere in it. */
export interface ListedSecret {
  readonly name: string
  readonly version: string
  /** `present` wins over `kept`, `revoked` over both. */
  readonly state: 'present' | 'kept' | 'revoked'
  /** Versions of the releases that ran with it last. */
  readonly releases: readonly string[]
  readonly revoked?: Revocation
}

/** Names and versions of the secrets that an environment keeps in this home, by name, the present one first. */
export async function listSecrets(
  context: { readonly files: Pick<HomeFiles, 'readText'>; readonly sha256: Sha256 },
  query: Query,
  place: { readonly application: string; readonly environment: string },
): Promise<readonly ListedSecret[]> {
  const present = presentVersions(context, place)
  const former = readFormerSecrets(context.files, place)
  const ran = await lastSuccesses(query, place, releasesMax)
  return [...new Set([...Object.keys(present), ...Object.keys(former)])].toSorted().flatMap((name) => {
    const now = present[name]
    const versions = new Set([...(now === undefined ? [] : [now]), ...Object.keys(former[name] ?? {})])
    return [...versions].map((version): ListedSecret => {
      const secret = former[name]?.[version]
      const revoked = secret !== undefined && 'revoked' in secret ? secret.revoked : undefined
      return {
        name,
        version,
        state: revoked !== undefined ? 'revoked' : version === now ? 'present' : 'kept',
        releases: ran
          .filter(({ document }) => document.secretVersions?.[name] === version)
          .map(({ document }) => document.plan.version),
        ...(revoked === undefined ? {} : { revoked }),
      }
    })
  })
}
