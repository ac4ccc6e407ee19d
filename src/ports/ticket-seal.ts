import type { TicketSignature, TicketSigner } from '#core/ticket/signature.ts'

/** Signs what a ticket seals, with the key of whoever asks. Undefined: there is no key that signs without a question. */
export type SignTicket = (signed: string) => Promise<TicketSignature | undefined>

/**
 * Checks one signature of a ticket. `allowedSigners`: file of the home with the keys that may ask, where there is one. Throws
 * TICKET_SIGNATURE_INVALID, and TICKET_SIGNER_UNKNOWN for a good signature of a key that is not in the file.
 */
export type CheckTicketSignature = (
  signed: string,
  signature: TicketSignature,
  allowedSigners: string | undefined,
) => Promise<TicketSigner>
