import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { openAttestation } from '#core/release/attestation.ts'
import type { Attestation } from '#core/release/attestation.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import { provenanceType } from '#core/release/provenance.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'

/** What an attestation of a release says, for people and for programs. */
export interface ReadStatement {
  readonly predicateType?: string
  readonly predicate?: JsonObject
  readonly signatures?: number
  /** One line: `built     run_… from .github/workflows/ci.yml at 0b31c2a by ada (not signed)`. */
  readonly text?: string
  /** Why it proves nothing about this release. */
  readonly problem?: string
}

/** Reads an attestation and holds it against the release: it must be about its id and its commit, and have the digest that it is kept under. */
export function readStatement(
  { digest, envelope }: Attestation,
  release: { readonly id: string; readonly manifest: ReleaseManifest | undefined; readonly sha256?: Sha256 },
): ReadStatement {
  const opened = openAttestation(envelope, release.id)
  if (typeof opened === 'string') return { problem: opened }
  if (release.sha256 !== undefined && release.sha256(envelope) !== digest) return { problem: 'it was changed' }
  const { predicate, predicateType, signatures } = opened
  if (predicateType !== provenanceType) return { ...opened, text: `stated    ${predicateType}` }
  const { buildDefinition, runDetails } = predicate
  const commit = at(buildDefinition, 'resolvedDependencies', 0, 'digest', 'gitCommit')
  const sealed = release.manifest?.source.sha
  if (sealed !== undefined && commit !== sealed) return { ...opened, problem: `it tells of commit ${text(commit)}` }
  const workflow = at(buildDefinition, 'externalParameters', 'workflow')
  const from = workflow === undefined ? 'from what somebody brought' : `from ${text(workflow)}`
  const by = text(at(buildDefinition, 'internalParameters', 'requestedBy'))
  const run = text(at(runDetails, 'metadata', 'invocationId'))
  const signed = signatures === 0 ? 'not signed' : `${signatures} signatures, not checked`
  return { ...opened, text: `built     ${run} ${from} at ${text(commit).slice(0, 7)} by ${by} (${signed})` }
}

function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let found = value
  for (const key of path) {
    if (typeof key === 'number') found = Array.isArray(found) ? (found[key] as Json | undefined) : undefined
    else found = found !== undefined && isJsonObject(found) ? found[key] : undefined
  }
  return found
}

/** What came from outside is one line, whatever it holds. */
function text(value: Json | undefined): string {
  return typeof value === 'string' ? value.replaceAll(/\p{Cc}/gu, ' ').slice(0, 200) : '(unknown)'
}
