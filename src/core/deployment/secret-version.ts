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

/** Secrets that another version has been put in place of, in the words of a log; those that one side does not have are left out. */
export function changedSecrets(then: SecretVersions, now: SecretVersions, version: string): readonly string[] {
  return Object.keys(now)
    .toSorted()
    .flatMap((name) => {
      const before = then[name]
      if (before === undefined || before === now[name]) return []
      return [
        `secret ${name} is version ${now[name]} now; ${version} ran here with version ${before}, which is kept nowhere: the present one is used`,
      ]
    })
}
