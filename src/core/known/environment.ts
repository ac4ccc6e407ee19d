import { KnownError } from '#core/errors.ts'
import { nearestName } from '#core/project/nearest.ts'

/** `shipway.yml` in force has no such environment. */
export function environmentNotFound(fact: {
  readonly environment: string
  readonly application: string
  readonly known: readonly string[]
}): KnownError {
  const near = nearestName(fact.environment, fact.known)
  const known = fact.known.length === 0 ? 'it has none' : `environments: ${fact.known.join(', ')}`
  return new KnownError({
    code: 'ENVIRONMENT_NOT_FOUND',
    kind: 'usage',
    message: `Environment "${fact.environment}" is not defined in shipway.yml of ${fact.application} (${known}).`,
    hint:
      near === undefined
        ? 'The rules in force are those of the newest commit of the default branch.'
        : `Did you mean "${near}"?`,
  })
}

/** Somebody else has locked it. */
export function environmentAlreadyLocked(fact: {
  readonly environment: string
  readonly by: string
  readonly reason?: string
}): KnownError {
  return new KnownError({
    code: 'ENVIRONMENT_ALREADY_LOCKED',
    kind: 'refused',
    message: `${fact.environment} is already locked by ${fact.by}${fact.reason === undefined ? '' : `: ${fact.reason}`}.`,
    hint: `Talk to ${fact.by}; \`shipway unlock ${fact.environment}\` lifts the lock.`,
  })
}

/** A release cannot be put on an environment that is only rules for jobs. */
export function environmentWithoutTargets(fact: { readonly environment: string }): KnownError {
  return new KnownError({
    code: 'ENVIRONMENT_WITHOUT_TARGETS',
    kind: 'usage',
    message: `Environment "${fact.environment}" has no targets in shipway.yml: its rules are for jobs with \`environment: ${fact.environment}\`, and nothing can be deployed to it.`,
    hint: `Add \`targets:\` (./folder or ssh://user@host/folder) to deploy there, or deploy in a job: \`shipway plan\` shows which name it.`,
  })
}

/** Nothing is kept under this name and version that could be revoked, or the digits mean more than one. */
export function secretVersionUnknown(fact: {
  readonly application: string
  readonly environment: string
  readonly name: string
  readonly version: string | undefined
  readonly kept: readonly string[]
  readonly present: string | undefined
}): KnownError {
  const { environment, name, version, kept, present } = fact
  const all = kept.map((one) => (one === present ? `${one} (present)` : one)).join(', ')
  return new KnownError({
    code: 'SECRET_VERSION_UNKNOWN',
    kind: 'usage',
    message: `${environment} keeps ${version === undefined ? 'no former version' : `not one version "${version}"`} of the secret ${name} (kept: ${all || 'nothing'}).`,
    hint: `\`shipway secret list ${environment}\` shows names and versions.`,
  })
}
