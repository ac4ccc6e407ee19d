import type { JsonObject } from '#core/json.ts'
import type { ReleaseManifest } from './model.ts'

/** `predicateType` of SLSA's statement of how something was built. */
export const provenanceType = 'https://slsa.dev/provenance/v1'

/** How a release came to be. */
export interface BuildFacts {
  /** Name of the repository, `owner/name`. */
  readonly repository: string
  /** `workflow`: a run built it. `given`: somebody brought what was built elsewhere. */
  readonly kind: 'workflow' | 'given'
  /** Run, or the ticket that brought it. */
  readonly invocation: string
  readonly by: string
  readonly event?: string
  /** Names of the inputs; values may be nobody's business where the release goes. */
  readonly inputs?: readonly string[]
  /** Workflow files that were run, each with the SHA-256 of its text. */
  readonly workflows: readonly { readonly file: string; readonly digest: string }[]
  /** Commits of other repositories whose actions and workflows are pinned. */
  readonly actions: readonly { readonly uses: string; readonly sha: string }[]
  /** Milliseconds since 1970. */
  readonly startedAt: number
  readonly finishedAt: number
  readonly program: string
}

/**
 * SLSA's provenance of a release as an in-toto statement: the release and its images are the subject; commit, workflow files and pinned actions
 * are what it was built from. It has times and a run, so it stands beside the release: in it, the same files would have another id with every run.
 */
export function provenanceStatement(id: string, manifest: ReleaseManifest, facts: BuildFacts): JsonObject {
  const { application, version, source } = manifest
  const [workflow] = facts.workflows
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: `${application}@${version}`, digest: { sha256: id } }, ...imageSubjects(manifest)],
    predicateType: provenanceType,
    predicate: {
      buildDefinition: {
        buildType: `urn:shipway:build:${facts.kind}:1`,
        externalParameters: {
          repository: facts.repository,
          ref: source.ref,
          ...(workflow === undefined ? {} : { workflow: workflow.file }),
          ...(facts.event === undefined ? {} : { event: facts.event }),
          ...(facts.inputs === undefined ? {} : { inputs: facts.inputs }),
        },
        internalParameters: { requestedBy: facts.by, hasUncommittedChanges: source.dirty },
        resolvedDependencies: [
          { uri: `git+${facts.repository}@${source.ref}`, digest: { gitCommit: source.sha } },
          ...facts.workflows.map(({ file, digest }) => ({ uri: file, digest: { sha256: digest } })),
          ...facts.actions.map(({ uses, sha }) => ({ uri: `git+${uses}`, digest: { gitCommit: sha } })),
        ],
      },
      runDetails: {
        builder: { id: 'urn:shipway:agent', version: { shipway: facts.program } },
        metadata: {
          invocationId: facts.invocation,
          startedOn: new Date(facts.startedAt).toISOString(),
          finishedOn: new Date(facts.finishedAt).toISOString(),
        },
        byproducts: manifest.evidence.map(({ job, conclusion }) => ({ name: job, annotations: { conclusion } })),
      },
    },
  }
}

function imageSubjects({ images = {} }: ReleaseManifest): readonly JsonObject[] {
  return Object.entries(images).map(([, image]) => {
    const [name = image, digest = ''] = image.split('@sha256:')
    return { name, digest: { sha256: digest } }
  })
}
