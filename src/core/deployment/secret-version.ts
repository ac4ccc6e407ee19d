import type { Sha256 } from '#core/ticket/envelope.ts'

/** Hexadecimal digits of a version: enough to tell the values of one secret apart. */
const versionDigits = 12

/** Version of each secret, by its name. */
export type SecretVersions = Readonly<Record<string, string>>

/**
 * Names the value of a secret without telling it: the first digits of a keyed digest (two nested rounds, as in HMAC). The key stays in the state home,
 * so nobody who sees a version can find a short password by trying; another home, and another environment, has other versions for the same value.
 */
export function secretVersion(
  sha256: Sha256,
  key: string,
  secret: { readonly application: string; readonly environment: string; readonly name: string; readonly value: string },
): string {
  const { application, environment, name, value } = secret
  const text = JSON.stringify([application, environment, name, value])
  return sha256(`${key}\0outer\0${sha256(`${key}\0inner\0${text}`)}`).slice(0, versionDigits)
}

/** A version that the home knows, besides the present ones: with its value, so that a rollback can bring it back, or revoked for good. */
export type FormerSecret = { readonly value: string } | { readonly revoked: Revocation }

/** Who says that a version must not come back, and why: it leaked. */
export interface Revocation {
  readonly by: string
  /** Milliseconds since 1970. */
  readonly at: number
  readonly reason?: string
}

/** By the name of the secret, then by version. */
export type FormerSecrets = Readonly<Record<string, Readonly<Record<string, FormerSecret>>>>

/** What becomes of secrets that have other values than when the release last ran there. */
export interface SettledSecrets {
  /** Versions of before that go to the targets again, in place of the present ones. */
  readonly restored: SecretVersions
  /** A line for each that differs, in the words of a log. */
  readonly lines: readonly string[]
}

/**
 * A rollback brings back the secrets with which the release ran, as far as the home keeps them and nobody has revoked them. Everything else uses the
 * present ones, and says which have changed.
 */
export function settleSecrets(asked: {
  readonly isRollback: boolean
  /** Version of the release, for people. */
  readonly release: string
  /** Secrets that belong to the release, and not to the way to its targets. */
  readonly sealed: readonly string[]
  readonly before: SecretVersions
  readonly now: SecretVersions
  readonly former: FormerSecrets
}): SettledSecrets {
  const restored: Record<string, string> = {}
  const lines: string[] = []
  for (const name of [...new Set([...Object.keys(asked.now), ...asked.sealed])].toSorted()) {
    const version = asked.before[name]
    const now = asked.now[name]
    if (version === undefined || version === now) continue
    const ran = `${asked.release} ran here with version ${version}`
    const present = now === undefined ? `secret ${name} is no longer set` : `secret ${name} is version ${now} now`
    const former = asked.isRollback && asked.sealed.includes(name) ? asked.former[name]?.[version] : undefined
    if (former !== undefined && 'value' in former) {
      restored[name] = version
      lines.push(`secret ${name} goes back to version ${version}, with which ${asked.release} ran here`)
    } else if (former !== undefined)
      lines.push(`${present}; ${ran}, which was ${revocationText(former.revoked)}: the present one is used`)
    else if (asked.isRollback) lines.push(`${present}; ${ran}, which is not kept: the present one is used`)
    else lines.push(`${present}; ${ran}: a deployment uses the present one`)
  }
  return { restored, lines }
}

/** `revoked by ada (it leaked)`. */
export function revocationText({ by, reason }: Revocation): string {
  return `revoked by ${by}${reason === undefined ? '' : ` (${reason})`}`
}

/** What the home goes on keeping: versions that one of the releases may need that it could go back to. Who was revoked stays so. */
export function keepSecrets(
  known: FormerSecrets,
  given: { readonly values: Readonly<Record<string, string>>; readonly versions: SecretVersions },
  needed: readonly SecretVersions[],
): FormerSecrets {
  const kept: Record<string, Record<string, FormerSecret>> = {}
  const keep = (name: string, version: string, secret: FormerSecret): void => {
    if (needed.some((versions) => versions[name] === version)) kept[name] = { ...kept[name], [version]: secret }
  }
  for (const [name, version] of Object.entries(given.versions)) {
    const value = given.values[name]
    if (value !== undefined) keep(name, version, { value })
  }
  for (const [name, versions] of Object.entries(known))
    for (const [version, secret] of Object.entries(versions)) keep(name, version, secret)
  return kept
}
