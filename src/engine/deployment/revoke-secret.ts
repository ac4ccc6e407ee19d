import type { FormerSecret } from '#core/deployment/secret-version.ts'
import { secretVersionUnknown } from '#core/known/environment.ts'
import type { DeliveryContext } from './context.ts'
import { readFormerSecrets, writeFormerSecrets } from './former-secrets.ts'
import { presentVersions } from './secret-versions.ts'

/**
 * Forgets former values of a secret for good and keeps who said so: a rollback then uses the present one, and says why. Without a version all but the
 * present one. Returns what there is to know, as a sentence without a full stop. Throws SECRET_VERSION_UNKNOWN.
 */
export function revokeSecret(
  { files, sha256, clock }: Pick<DeliveryContext, 'files' | 'sha256' | 'clock'>,
  place: { readonly application: string; readonly environment: string },
  asked: { readonly name: string; readonly version: string | undefined; readonly by: string; readonly reason?: string },
): string {
  const { name, version: digits, by, reason } = asked
  const all = readFormerSecrets(files, place)
  const kept = all[name] ?? {}
  const present = presentVersions({ files, sha256 }, place)[name]
  const meant = Object.keys(kept).filter((version) =>
    digits === undefined ? version !== present : digits !== '' && version.startsWith(digits.toLowerCase()),
  )
  if (meant.length === 0 || (digits !== undefined && meant.length > 1))
    throw secretVersionUnknown({ ...place, name, version: digits, kept: Object.keys(kept), present })
  const revoked: FormerSecret = { revoked: { by, at: clock.now(), ...(reason === undefined ? {} : { reason }) } }
  const versions = { ...kept, ...Object.fromEntries(meant.map((version) => [version, revoked])) }
  writeFormerSecrets(files, place, { ...all, [name]: versions })
  const isPresent = present !== undefined && meant.includes(present)
  const next = `: it is the present value; replace it in secrets/${place.application}/${place.environment}.json and deploy again`
  return `no rollback brings back ${meant.join(', ')}${isPresent ? next : ''}`
}
