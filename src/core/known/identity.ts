import { KnownError } from '#core/errors.ts'

/** `$SHIPWAY_IDENTITY` names a key that cannot sign. */
export function identityUnusable(fact: { readonly identity: string; readonly why: string }): KnownError {
  return new KnownError({
    code: 'IDENTITY_UNUSABLE',
    kind: 'auth',
    message: `The key that SHIPWAY_IDENTITY names (${fact.identity}) cannot sign: ${fact.why}.`,
    hint: 'Name a key file, or `agent` for the first key of ssh-agent (`ssh-add` brings one); `none` signs nothing.',
  })
}

/** Somebody has changed the ticket after it was signed, or the signature is of something else. */
export function ticketSignatureInvalid(fact: { readonly why: string }): KnownError {
  return new KnownError({
    code: 'TICKET_SIGNATURE_INVALID',
    kind: 'refused',
    message: `The signature of the request is not good: ${fact.why}.`,
    hint: 'Ask again; if it comes back, look at who can write to the inbox of this home.',
  })
}

/** The home says which keys may ask, and this one is not among them. */
export function ticketSignerUnknown(fact: { readonly fingerprint: string; readonly file: string }): KnownError {
  return new KnownError({
    code: 'TICKET_SIGNER_UNKNOWN',
    kind: 'refused',
    message: `The request is signed by ${fact.fingerprint}, which is not in ${fact.file}.`,
    hint: `Whoever keeps this home adds the key: \`echo "NAME $(cat KEY.pub)" >> ${fact.file}\`.`,
  })
}
