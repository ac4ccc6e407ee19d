import { KnownError } from '#core/errors.ts'

/** Content that is named somewhere is not in the blob store. */
export function blobMissing(fact: { readonly digest: string; readonly root: string }): KnownError {
  return new KnownError({
    code: 'BLOB_MISSING',
    kind: 'red',
    message: `The blob ${fact.digest.slice(0, 12)} is not in ${fact.root}.`,
    hint: 'It was removed, or the home was copied without its blobs. Run the pipeline again to build it anew.',
  })
}

/** Content is not what it was said to be: a damaged disk, a broken transfer, or a forgery. */
export function blobDigestMismatch(fact: { readonly expected: string; readonly found: string }): KnownError {
  return new KnownError({
    code: 'BLOB_DIGEST_MISMATCH',
    kind: 'red',
    message: `Content that should have the digest ${fact.expected.slice(0, 12)} has ${fact.found.slice(0, 12)}.`,
    hint: 'Nothing of it was kept. Transfer or build it again.',
    retry: 'backoff',
  })
}
