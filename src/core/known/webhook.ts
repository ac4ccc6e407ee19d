import { KnownError } from '../errors.ts'

/** Which call of which target failed. `call` is method and address, without a secret. */
interface CallFact {
  readonly target: string
  readonly call: string
}

/** Nobody answered, or not in time. */
export function webhookUnreachable(fact: CallFact & { readonly why: string }): KnownError {
  return new KnownError({
    code: 'WEBHOOK_UNREACHABLE',
    kind: 'unreachable',
    retry: 'backoff',
    message: `${fact.call} was not answered: ${fact.why}.`,
    hint: `Check the address of the target ${fact.target} in shipway.yml and the way to it.`,
  })
}

/** The platform does not take the token. */
export function webhookAuthRefused(fact: CallFact & { readonly status: number; readonly answer: string }): KnownError {
  return new KnownError({
    code: 'WEBHOOK_AUTH_REFUSED',
    kind: 'auth',
    message: `${fact.call} was answered with ${fact.status}: ${fact.answer}.`,
    hint: 'Check the secret that "webhook.token" names. A token of Coolify needs the abilities deploy and read, and write to set a tag, branch or commit.',
  })
}

/** A redirect is never followed: a token would go to an address that nobody wrote down. */
export function webhookRedirected(fact: CallFact & { readonly status: number; readonly location: string }): KnownError {
  return new KnownError({
    code: 'WEBHOOK_REDIRECTED',
    kind: 'red',
    message: `${fact.call} was answered with ${fact.status} and redirects to ${fact.location}; redirects are not followed.`,
    hint: `Write the address that is meant as target ${fact.target} in shipway.yml, if you trust it.`,
  })
}

/** The platform says no, or that it is broken. */
export function webhookRefused(
  fact: CallFact & { readonly status: number; readonly answer: string; readonly mayRetry: boolean },
): KnownError {
  return new KnownError({
    code: 'WEBHOOK_REFUSED',
    kind: 'red',
    retry: fact.mayRetry ? 'backoff' : 'never',
    message: `${fact.call} was answered with ${fact.status}: ${fact.answer}.`,
    hint: fact.mayRetry
      ? 'Look at the platform; then deploy again.'
      : `Check the target ${fact.target} and "webhook" in shipway.yml against what the platform expects.`,
  })
}

/** An answer that is no JSON, or does not hold what it must. */
export function webhookAnswerInvalid(fact: CallFact & { readonly problem: string }): KnownError {
  return new KnownError({
    code: 'WEBHOOK_ANSWER_INVALID',
    kind: 'red',
    retry: 'backoff',
    message: `The answer to ${fact.call} cannot be used: ${fact.problem}.`,
    hint: `Check that the target ${fact.target} is the API of the platform, and not a page or a proxy before it.`,
  })
}

/** More than is read of one answer. */
export function webhookAnswerTooLarge(fact: CallFact & { readonly bytesMax: number }): KnownError {
  return new KnownError({
    code: 'WEBHOOK_ANSWER_TOO_LARGE',
    kind: 'red',
    message: `The answer to ${fact.call} is longer than ${fact.bytesMax} bytes, which is all that is read.`,
    hint: `Check that the target ${fact.target} is the API of the platform.`,
  })
}

/** The platform's own deployment did not work. */
export function webhookDeploymentFailed(fact: {
  readonly target: string
  readonly deployment: string
  readonly status: string
  readonly details: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'WEBHOOK_DEPLOYMENT_FAILED',
    kind: 'red',
    message: `The deployment ${fact.deployment} of ${fact.target} ended as "${fact.status}".`,
    hint: 'Its log is on the platform.',
    details: fact.details,
  })
}

/** The platform's own deployment did not come to an end. */
export function webhookDeploymentSlow(fact: {
  readonly target: string
  readonly deployment: string
  readonly status: string
  readonly withinMs: number
}): KnownError {
  return new KnownError({
    code: 'WEBHOOK_DEPLOYMENT_SLOW',
    kind: 'red',
    retry: 'backoff',
    message: `The deployment ${fact.deployment} of ${fact.target} was still "${fact.status}" after ${Math.round(fact.withinMs / 1000)} s.`,
    hint: 'Look at it on the platform; "webhook.within" in shipway.yml is how long it may take.',
  })
}

/** Going back means to deploy what ran before, and nobody knows what that was. */
export function webhookNothingBefore(fact: {
  readonly target: string
  readonly found: string | undefined
}): KnownError {
  const found = fact.found === undefined ? 'nothing ran there before' : `${fact.found} is not known in this home`
  return new KnownError({
    code: 'WEBHOOK_NOTHING_BEFORE',
    kind: 'red',
    message: `${fact.target} cannot be told to go back: ${found}.`,
    hint: 'Stop the application on the platform, or deploy a release that works.',
  })
}

/** The secret is not among those that were given. */
export function webhookTokenMissing(fact: { readonly target: string; readonly names: readonly string[] }): KnownError {
  return new KnownError({
    code: 'WEBHOOK_TOKEN_MISSING',
    kind: 'auth',
    message: `The target ${fact.target} needs the ${fact.names.length === 1 ? 'secret' : 'secrets'} ${fact.names.join(', ')}, and nobody has given ${fact.names.length === 1 ? 'it' : 'them'}.`,
    hint: 'Keep it in the home as secrets/APPLICATION/ENVIRONMENT.json (mode 0600, {"NAME": "value"}).',
  })
}
