import { dispatchTooLarge, secretsTooMany, valueTooLarge } from '#core/known/run.ts'
import type { Json } from '#core/json.ts'
import type { RerunRequest, RunRequest } from './model.ts'

/** Longest value of a secret, and of a variable, in bytes of UTF-8 (actions-semantics 147). */
export const valueBytesMax = 48 * 1024
/** Secrets that a run may be given; GitHub has the same number for a repository, and for an environment. */
export const secretsMax = 100
/** Longest text of what a start by hand, or from a program, brings with it: `inputs` and `client_payload` as JSON. */
export const dispatchLengthMax = 65_535

/**
 * What a ticket brings, with the values of its secrets: whoever has made it may have looked at no limit. Throws what the checks below throw; a ticket
 * that is sound otherwise is refused by it, and no step ever sees the values.
 */
export function checkTicketLimits(request: RunRequest | RerunRequest, secrets: Readonly<Record<string, string>>): void {
  const count = new Set([...request.secretNames, ...Object.keys(secrets)]).size
  if (count > secretsMax) throw secretsTooMany({ count, countMax: secretsMax })
  checkSecretLimits(secrets)
  if (request.kind === 'rerun') return
  checkVariableLimits(request.vars)
  checkDispatchLimits(request.event.payload)
}

/** Throws SECRETS_TOO_MANY and VALUE_TOO_LARGE. `environment`: whose they are, where they are not of the run. */
export function checkSecretLimits(secrets: Readonly<Record<string, string>>, environment?: string): void {
  const count = Object.keys(secrets).length
  const whose = environment === undefined ? {} : { environment }
  if (count > secretsMax) throw secretsTooMany({ count, countMax: secretsMax, ...whose })
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

/** Length of a value in bytes of UTF-8. */
export function valueBytes(value: string): number {
  return new TextEncoder().encode(value).length
}

function checkValues(what: 'secret' | 'variable', values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    const bytes = valueBytes(value)
    if (bytes > valueBytesMax) throw valueTooLarge({ what, name, bytes, bytesMax: valueBytesMax })
  }
}
