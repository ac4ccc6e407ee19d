import { KnownError } from '#core/errors.ts'

/** A cache entry with this key and version is there already: entries never change. */
export function cacheEntryExists(fact: { key: string; scope: string }): KnownError {
  return new KnownError({
    code: 'CACHE_ENTRY_EXISTS',
    kind: 'refused',
    message: `A cache entry with the key "${fact.key}" exists already in ${fact.scope}, or another step is saving it.`,
    hint: 'Entries never change: put what changes into the key (`hashFiles`).',
  })
}

/** A cache key is empty, too long, or holds a comma. */
export function cacheKeyInvalid(fact: { key: string; problem: string }): KnownError {
  return new KnownError({
    code: 'CACHE_KEY_INVALID',
    kind: 'usage',
    message: `Key Validation Error: "${fact.key.slice(0, 80)}" ${fact.problem}.`,
  })
}

/** Nothing was saved under any of the keys, and the step says that it needs it. */
export function cacheMissing(fact: { key: string }): KnownError {
  return new KnownError({
    code: 'CACHE_MISSING',
    kind: 'red',
    message: `Failed to restore cache entry. Exiting as fail-on-cache-miss is set. Input key: ${fact.key}`,
    hint: 'Run the job that saves it first, or leave `fail-on-cache-miss` out.',
  })
}

/** The files that a cache shall hold are not there. */
export function cachePathsMissing(fact: { paths: readonly string[] }): KnownError {
  return new KnownError({
    code: 'CACHE_PATHS_MISSING',
    kind: 'red',
    message: `Path Validation Error: none of ${fact.paths.join(', ')} exists, hence no cache is being saved.`,
    hint: 'Paths are relative to the workspace; `~` is the home folder of the steps.',
  })
}

/** `tar` could not pack the files, or unpack the archive; what it said is in the log. */
export function cacheArchiveFailed(fact: { key: string; act: 'save' | 'restore' }): KnownError {
  return new KnownError({
    code: 'CACHE_ARCHIVE_FAILED',
    kind: 'red',
    message: `Failed to ${fact.act} the cache "${fact.key}": tar failed, see above.`,
  })
}
