import { attestationBytesMax, attestationsMax, openAttestation, sealAttestation } from '#core/release/attestation.ts'
import type { Attestation } from '#core/release/attestation.ts'
import type { ReleaseManifest } from '#core/release/model.ts'
import { provenanceStatement } from '#core/release/provenance.ts'
import type { BuildFacts } from '#core/release/provenance.ts'
import type { ReleaseRequest } from '#core/ticket/model.ts'
import type { StoredRun } from '#store/run.ts'
import type { TicketOf } from '../delivery.ts'
import type { DeliveryContext } from './context.ts'

type ProvenanceContext = Pick<DeliveryContext, 'clock' | 'git' | 'program' | 'sha256' | 'blobs'>

/** How a run has built what it seals. Reads the workflow files of its commit, so it is asked before the transaction. */
export async function factsOfRun(context: ProvenanceContext, run: StoredRun): Promise<BuildFacts> {
  const { document, sha } = run
  // A workflow of another repository is named by its pin.
  const files = [document.workflow.file, ...Object.keys(document.calls ?? {})].filter((file) => !file.includes('@'))
  const objects = await context.git.readFiles(document.repository, sha, files)
  const workflows = files.flatMap((file, index) => {
    const object = objects[index]
    return object?.kind === 'file' ? [{ file, digest: context.sha256(object.text) }] : []
  })
  return {
    kind: 'workflow',
    repository: String(document.github['repository'] ?? run.application),
    invocation: run.id,
    by: run.actor,
    event: run.event,
    inputs: Object.keys(document.inputs).toSorted(),
    workflows,
    actions: Object.entries(document.actions?.pins ?? {}).map(([uses, { commit }]) => ({ uses, sha: commit })),
    startedAt: run.createdAt,
    finishedAt: context.clock.now(),
    program: context.program,
  }
}

/** What is stated about a release when it is sealed: how it was built. */
export function attestBuild(
  context: ProvenanceContext,
  release: { readonly id: string; readonly manifest: ReleaseManifest },
  facts: BuildFacts,
): Attestation {
  return sealAttestation(provenanceStatement(release.id, release.manifest, facts), context.sha256)
}

/** What comes with a release that somebody brings: what is stated in its archive, or that they have put it together. A text says what is wrong. */
export async function attestationsOf(
  context: ProvenanceContext,
  { id, createdAt, request, requestedBy }: TicketOf<ReleaseRequest>,
  manifest: ReleaseManifest,
): Promise<readonly Attestation[] | string> {
  if (request.action === 'create') {
    const facts = {
      kind: 'given',
      repository: request.repositoryName ?? manifest.application,
      invocation: id,
      by: requestedBy,
      workflows: [],
      actions: [],
      startedAt: createdAt,
      finishedAt: context.clock.now(),
      program: context.program,
    } as const
    return [attestBuild(context, { id: request.release, manifest }, facts)]
  }
  const digests = request.attestations ?? []
  if (digests.length > attestationsMax) return `it has more than ${attestationsMax} attestations`
  const attestations: Attestation[] = []
  for (const digest of digests) {
    const size = await context.blobs.size(digest)
    if (size === undefined || size > attestationBytesMax) return `its attestation ${digest} is missing or too large`
    const decoder = new TextDecoder()
    let envelope = ''
    for await (const chunk of context.blobs.read(digest)) envelope += decoder.decode(chunk, { stream: true })
    const opened = openAttestation(envelope, request.release)
    if (typeof opened === 'string') return `its attestation ${digest} cannot be taken: ${opened}`
    attestations.push({ digest, envelope })
  }
  return attestations
}
