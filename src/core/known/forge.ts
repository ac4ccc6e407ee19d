import { KnownError } from '#core/errors.ts'

/** No answer, or one that says that it is the forge's own trouble. */
export function forgeUnreachable(fact: {
  readonly url: string
  readonly why: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'FORGE_UNREACHABLE',
    kind: 'unreachable',
    retry: 'backoff',
    message: `The forge at ${fact.url} did not answer: ${fact.why}.`,
    hint: 'What is reported is tried again by itself, a gate by the next deployment; `url` in shipway.yml is the address of its API.',
    cause: fact.cause,
  })
}

/** The forge understood and said no. */
export function forgeRefused(fact: {
  readonly url: string
  readonly status: number
  readonly said: string
}): KnownError {
  return new KnownError({
    code: 'FORGE_REFUSED',
    kind: 'auth',
    message: `The forge refused ${fact.url} with ${fact.status}${fact.said === '' ? '' : `: ${fact.said}`}.`,
    hint: 'Look at the token, its rights on issues and pull requests, and `repository` in shipway.yml.',
  })
}

/** The secret with the token is not there. */
export function forgeTokenMissing(fact: { readonly application: string; readonly token: string }): KnownError {
  return new KnownError({
    code: 'FORGE_TOKEN_MISSING',
    kind: 'auth',
    message: `The secret ${fact.token} with the token of the forge is not there.`,
    hint: `Put it into the state home: secrets/${fact.application}.json, mode 0600, {"${fact.token}": "…"}.`,
  })
}
