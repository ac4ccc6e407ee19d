/** SSHSIG namespace of tickets: a signature that was made for anything else says nothing here. */
export const ticketNamespace = 'ticket@shipway'

/** Signatures that one ticket may carry, and the length of one. */
export const signaturesMax = 4
export const signatureLengthMax = 8192

/** A signature of a ticket's payload. `keyid` is a hint for people, never a decision: the key is in the signature. */
export interface TicketSignature {
  readonly keyid: string
  /** Armored SSHSIG over `signedText` of the payload. */
  readonly sig: string
}

/** Who a verified signature is from. */
export interface TicketSigner {
  /** `SHA256:…`, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string
  /** Name that the home's `allowed_signers` gives the key; absent where the home has no such file. */
  readonly principal?: string
}

/** What a signature covers: the pre-authentication encoding of DSSE, so that the type of the payload is signed with it. */
export function signedText(payloadType: string, payload: string): string {
  const lengthOf = (text: string): number => new TextEncoder().encode(text).length
  return `DSSEv1 ${lengthOf(payloadType)} ${payloadType} ${lengthOf(payload)} ${payload}`
}
