import { dispatchTooLarge, secretsTooMany, valueTooLarge } from '#core/known/run.ts'
import type { Json } from '#core/json.ts'

/** Longest value of a secret, and of a variable, in bytes of UTF-8 (actions-semantics 147). */
export const valueBytesMax = 48 * 1024
/** Secrets that a run may be given; GitHub has the same number for a repository, and for an environment. */
export const secretsMax = 100
/** Longest text of what a start by hand, or from a program, brings with it: `inputs` and `client_payload` as JSON. */
export const dispatchLengthMax = 65_535

/** Throws SECRETS_TOO_MANY and VALUE_TOO_LARGE. */
export function checkSecretLimits(secrets: Readonly<Record<string, string>>): void {
  const count = Object.keys(secrets).length
  if (count > secretsMax) throw secretsTooMany({ count, countMax: secretsMax })
  checkValues('secret', secrets)
}

/** Throws VALUE_TOO_LARGE. */
export function checkVariableLimits(vars: Readonly<Record<string, string>>): void {
  checkValues('variable', vars)
}

/** Throws DISPATCH_TOO_LARGE. */
export function checkDispatchLimits(payload: Readonly<Record<string, Json | undefined>>): void {
  for (const name of ['inputs', 'client_payload']) {
    const { length } = JSON.stringify(payload[name] ?? {})
    if (length > dispatchLengthMax) throw dispatchTooLarge({ name, length, lengthMax: dispatchLengthMax })
  }
}

function checkValues(what: 'secret' | 'variable', values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const bytes = new TextEncoder().encode(value).length
    if (bytes > valueBytesMax) throw valueTooLarge({ what, name, bytes, bytesMax: valueBytesMax })
  }
}
