import { KnownError } from '#core/errors.ts'

/** `shipway.yml` in force names no database for the environment. */
export function databaseUnset(fact: { readonly environment: string }): KnownError {
  return new KnownError({
    code: 'DATABASE_UNSET',
    kind: 'usage',
    message: `${fact.environment} has no "database" in shipway.yml of the default branch, as of its latest run.`,
    hint: `Write \`database: { url: DATABASE_URL }\` below environments.${fact.environment}; DATABASE_URL is the name of a secret.`,
  })
}

/** The secret with the address of the database is not there. */
export function databaseSecretMissing(fact: {
  readonly environment: string
  readonly application: string
  readonly secret: string
}): KnownError {
  return new KnownError({
    code: 'DATABASE_SECRET_MISSING',
    kind: 'auth',
    message: `The secret ${fact.secret} with the address of the database of ${fact.environment} is not there.`,
    hint: `Put it into the state home: secrets/${fact.application}/${fact.environment}.json, mode 0600, {"${fact.secret}": "postgres://…"}.`,
  })
}

/** The secret is there and is no address of a database. */
export function databaseAddressInvalid(fact: { readonly secret: string; readonly problem: string }): KnownError {
  return new KnownError({
    code: 'DATABASE_ADDRESS_INVALID',
    kind: 'usage',
    message: `The secret ${fact.secret} cannot be used as the address of a database: ${fact.problem}.`,
    hint: 'It must look like postgres://user:password@host:5432/database; special characters as %40.',
  })
}

/** What the programs of PostgreSQL, or the server, said no to. */
export function databaseRefused(fact: {
  readonly host: string
  readonly act: string
  readonly evidence: string
  readonly details: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'DATABASE_REFUSED',
    kind: 'red',
    message: `${fact.act} did not work on ${fact.host}: ${fact.evidence}.`,
    hint: hintOf(fact.details.join('\n')),
    details: fact.details,
  })
}

/** Words of PostgreSQL and of the shell, for a hint only: nothing is decided by them. */
function hintOf(text: string): string {
  if (text.includes('password authentication failed') || text.includes('no password supplied'))
    return 'Correct the secret with the address of the database.'
  if (text.includes('No space left')) return 'Make room on the host; a backup needs the size of the dump in $TMPDIR.'
  if (text.includes('permission denied to create database'))
    return 'A backup is verified in a scratch database: `alter role NAME createdb` allows it to the role.'
  if (text.includes('server version mismatch'))
    return "Install the programs of the server's version, or name its container."
  if (text.includes('No such container') || /container \S+ is not running/i.test(text))
    return '`docker ps` on the host shows its containers: correct `container`, or start the database.'
  if (text.includes('docker: not found'))
    return 'Install Docker there, or leave `container` out and let the programs of the host reach the database.'
  if (text.includes('not found'))
    return 'Install the PostgreSQL client there, or name the container of the database: `container: NAME`.'
  if (text.includes('lock timeout')) return 'Stop what uses the database, then try again; nothing was changed.'
  return 'Look at the details; nothing was changed.'
}

/** The dump came out of a scratch database other than it went in. */
export function backupUnsound(fact: { readonly differences: readonly string[] }): KnownError {
  return new KnownError({
    code: 'BACKUP_UNSOUND',
    kind: 'red',
    message: `The backup was restored into a scratch database, and does not agree with its source: ${fact.differences.join('; ')}.`,
    hint: 'Nothing was changed. Look at row security and at what else hides rows from the role.',
  })
}

/** The file of a backup is not what was written. */
export function backupDamaged(fact: { readonly backup: string; readonly found: 'missing' | 'damaged' }): KnownError {
  return new KnownError({
    code: 'BACKUP_DAMAGED',
    kind: 'refused',
    message: `The file of ${fact.backup} is ${fact.found}: nothing was restored.`,
    hint: 'Choose another one: `shipway backup list`.',
  })
}

/** Somebody has stopped a backup or a restore. */
export function databaseCancelled(fact: { readonly by: string; readonly reason: string }): KnownError {
  return new KnownError({
    code: 'DATABASE_CANCELLED',
    kind: 'red',
    message: `Cancelled by ${fact.by}: ${fact.reason.replace(/\.$/, '')}.`,
    hint: 'Nothing was changed.',
  })
}

/** A cancellation that cannot be granted. */
export function databaseNotCancelled(fact: { readonly subject: string; readonly why: string }): KnownError {
  return new KnownError({
    code: 'DATABASE_NOT_CANCELLED',
    kind: 'refused',
    message: `${fact.subject} cannot be cancelled: ${fact.why}.`,
    hint: '`shipway backup list` shows how it goes.',
  })
}

/** There is no such backup to restore. */
export function backupNotFound(fact: {
  readonly environment: string
  readonly wanted: string
  readonly known: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'BACKUP_NOT_FOUND',
    kind: 'usage',
    message:
      fact.known.length === 0
        ? `${fact.environment} has no backup that could be restored.`
        : `${fact.environment} has no backup "${fact.wanted}" (newest: ${fact.known.join(', ')}).`,
    hint: `\`shipway backup ${fact.environment}\` makes one; \`shipway backup list ${fact.environment}\` shows them.`,
  })
}

/** Something else owns the environment at the moment. */
export function restoreBlocked(fact: { readonly environment: string; readonly why: string }): KnownError {
  return new KnownError({
    code: 'RESTORE_BLOCKED',
    kind: 'refused',
    message: `Nothing is restored in ${fact.environment}: ${fact.why}.`,
    hint: `\`shipway why ${fact.environment}\` tells more; a lock is lifted with \`shipway unlock ${fact.environment}\`.`,
  })
}
