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
    hint: 'What is reported or published is tried again by itself while an agent runs, a gate by the next deployment; `url` in shipway.yml is the address of its API.',
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
    hint: 'Look at the token, its rights on issues, pull requests and releases, and `repository` in shipway.yml.',
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

/** Nothing says where releases are published. */
export function publishUnset(fact: { readonly application: string }): KnownError {
  return new KnownError({
    code: 'PUBLISH_UNSET',
    kind: 'usage',
    message: `shipway.yml of ${fact.application} does not say at which forge its releases are published.`,
    hint: 'Add `release: { publish: { forge: github, repository: owner/name, token: NAME_OF_THE_SECRET } }` and commit it to the default branch.',
  })
}

/** Nobody else has the content of it. */
export function releaseUnpublishable(fact: { readonly version: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_UNPUBLISHABLE',
    kind: 'refused',
    message: `The release ${fact.version} holds changes that nobody committed, so no tag can stand for it.`,
    hint: 'Commit them, run the pipeline again, and publish that release.',
  })
}

/** The forge has one of this tag that Shipway did not write. */
export function publicationForeign(fact: { readonly version: string; readonly url: string }): KnownError {
  return new KnownError({
    code: 'PUBLICATION_FOREIGN',
    kind: 'refused',
    message: `The forge has a release of ${fact.version} already that somebody else wrote (${fact.url}); it was left as it is.`,
    hint: `\`shipway release publish ${fact.version} --force\` replaces its title and text.`,
  })
}
