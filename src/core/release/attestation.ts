import { fromBase64, toBase64 } from '#core/base64.ts'
import { canonicalJson, isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'

/** Bytes of one attestation. */
export const attestationBytesMax = 1024 * 1024
/** Attestations of one release. */
export const attestationsMax = 100
/** Payload type of in-toto statements in a DSSE envelope. */
const payloadType = 'application/vnd.in-toto+json'

/** A statement about a release in its envelope. */
export interface Attestation {
  /** SHA-256 of the envelope's text: its name in the store and in an archive. */
  readonly digest: string
  /** DSSE: the payload as bytes, so that what is signed is what is read. Nobody signs yet, so its list of signatures is empty. */
  readonly envelope: string
}

/** What is read from an envelope. */
export interface OpenedAttestation {
  readonly predicateType: string
  readonly predicate: JsonObject
  readonly signatures: number
}

/** An in-toto statement in the envelope that a signature would be added to. */
export function sealAttestation(statement: JsonObject, sha256: Sha256): Attestation {
  const envelope = canonicalJson({ payloadType, payload: toBase64(canonicalJson(statement)), signatures: [] })
  return { digest: sha256(envelope), envelope }
}

/** The statement in an envelope, if it is one about this release; else what is wrong with it. Never throws. */
export function openAttestation(envelope: string, release: string): OpenedAttestation | string {
  const outer = parse(envelope)
  if (!isJsonObject(outer) || outer['payloadType'] !== payloadType || typeof outer['payload'] !== 'string')
    return 'it is no envelope of an in-toto statement'
  const statement = parse(fromBase64(outer['payload']) ?? '')
  if (!isJsonObject(statement) || statement['_type'] !== 'https://in-toto.io/Statement/v1')
    return 'its payload is no in-toto statement'
  const { subject, predicateType, predicate } = statement
  const isAbout = Array.isArray(subject) && subject.some((one: Json) => digestOf(one) === release)
  if (!isAbout) return 'it is about something else'
  if (typeof predicateType !== 'string' || !isJsonObject(predicate ?? null)) return 'it states nothing'
  const { signatures } = outer
  return {
    predicateType,
    predicate: predicate as JsonObject,
    signatures: Array.isArray(signatures) ? signatures.length : 0,
  }
}

function digestOf(subject: Json): Json | undefined {
  const digest = isJsonObject(subject) ? subject['digest'] : undefined
  return isJsonObject(digest) ? digest['sha256'] : undefined
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}
