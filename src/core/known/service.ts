import { KnownError } from '#core/errors.ts'

/** A call to the job's artifact and cache service carries no token of this job, or one that has expired. */
export function serviceTokenInvalid(fact: { problem: string }): KnownError {
  return new KnownError({
    code: 'SERVICE_TOKEN_INVALID',
    kind: 'auth',
    message: `The token of the call is not accepted: ${fact.problem}.`,
    hint: 'ACTIONS_RUNTIME_TOKEN is valid for the job that it was given to, while that job runs.',
  })
}

/** A signed address was changed, or its time is over. */
export function serviceUrlInvalid(fact: { problem: string }): KnownError {
  return new KnownError({
    code: 'SERVICE_URL_INVALID',
    kind: 'refused',
    message: `The signed address is not accepted: ${fact.problem}.`,
    hint: 'Ask the service for a new address.',
  })
}

/** A job asks for something that belongs to another run or job. */
export function serviceScopeDenied(fact: { scope: string; own: string }): KnownError {
  return new KnownError({
    code: 'SERVICE_SCOPE_DENIED',
    kind: 'refused',
    message: `The call is about "${fact.scope}", but the token is for "${fact.own}".`,
  })
}

/** The service does not have what the address or the method names. */
export function serviceRouteMissing(fact: { method: string; path: string }): KnownError {
  return new KnownError({
    code: 'SERVICE_ROUTE_MISSING',
    kind: 'usage',
    message: `There is no ${fact.method} ${fact.path.slice(0, 200)}.`,
  })
}

/** The body or a parameter of a call is not what the method takes. */
export function serviceRequestInvalid(fact: { problem: string }): KnownError {
  return new KnownError({ code: 'SERVICE_REQUEST_INVALID', kind: 'usage', message: `${fact.problem}.` })
}

/** An upload is finished, or written to, that was never begun here or is over. */
export function uploadMissing(fact: { name: string }): KnownError {
  return new KnownError({
    code: 'UPLOAD_MISSING',
    kind: 'red',
    message: `There is no upload of "${fact.name}" in this job.`,
    hint: 'Create it first; an upload ends with the job that began it.',
  })
}

/** An upload is larger than the service takes. */
export function uploadTooLarge(fact: { name: string; bytesMax: number }): KnownError {
  return new KnownError({
    code: 'UPLOAD_TOO_LARGE',
    kind: 'refused',
    message: `The upload of "${fact.name}" is larger than ${fact.bytesMax} bytes.`,
  })
}

/** What arrived is not what the client says it has sent. */
export function uploadMismatch(fact: { name: string; what: string; expected: string; found: string }): KnownError {
  return new KnownError({
    code: 'UPLOAD_MISMATCH',
    kind: 'red',
    message: `The ${fact.what} of "${fact.name}" is ${fact.found}, but the client says ${fact.expected}.`,
    hint: 'Upload it again.',
  })
}

/** The uploaded zip file of an artifact cannot be unpacked safely. */
export function artifactArchiveInvalid(fact: { name: string; problem: string; cause?: unknown }): KnownError {
  return new KnownError({
    code: 'ARTIFACT_ARCHIVE_INVALID',
    kind: 'refused',
    message: `The uploaded archive of "${fact.name}" is not accepted: ${fact.problem}.`,
    ...(fact.cause === undefined ? {} : { cause: fact.cause }),
  })
}

/** The disk that holds the state home has no room for an upload. */
export function storageFull(fact: { cause: unknown }): KnownError {
  return new KnownError({
    code: 'STORAGE_FULL',
    kind: 'red',
    message: 'The disk that holds the state home is full.',
    hint: 'Free space there (`shipway doctor` shows it), then run the job again.',
    retry: 'backoff',
    cause: fact.cause,
  })
}
