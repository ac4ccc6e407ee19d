import { KnownError } from '#core/errors.ts'

/** The run is on a tag that is no semantic version. */
export function releaseTagMalformed(fact: { readonly tag: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_TAG_MALFORMED',
    kind: 'usage',
    message: `Invalid tag format. Use semantic versioning (v1.0.0): "${fact.tag}" is no version that a release could have.`,
    hint: 'Tag the commit with a version such as v1.2.3, or run the pipeline on a branch.',
  })
}

/** Another release has the version, and releases do not change. `commits`: those of the release and of the tag that has moved. */
export function releaseVersionTaken(fact: {
  readonly version: string
  readonly commits?: { readonly sealed: string; readonly now: string }
}): KnownError {
  const { version, commits } = fact
  const moved =
    commits === undefined
      ? ', with other content'
      : `: it was sealed from ${commits.sealed.slice(0, 7)}, and the tag is at ${commits.now.slice(0, 7)} now`
  return new KnownError({
    code: 'RELEASE_VERSION_TAKEN',
    kind: 'refused',
    message: `Another release already has the version ${version}${moved}.`,
    hint: `A sealed release never changes. Tag the commit with a new version, or name one (\`release create --version\`); \`shipway release show ${version}\` shows the one that has it, and \`shipway deploy ENVIRONMENT ${version}\` puts it somewhere.`,
  })
}

/** The tag of the run was released before, from the same commit: a build that differs takes nothing away from that. */
export function releaseSealedBefore(fact: { readonly version: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_SEALED_BEFORE',
    kind: 'refused',
    message: `${fact.version} was sealed from this commit before, and what this run has built differs from it: the sealed one is what is deployed, unchanged.`,
    hint: `Nothing is to be done for going back to ${fact.version}. To release what was built now, tag the commit with a new version. \`shipway release show ${fact.version}\` shows what the sealed one holds.`,
  })
}

/** `--version` of `release create` is neither a semantic version nor a time. */
export function releaseVersionMalformed(fact: { readonly version: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_VERSION_MALFORMED',
    kind: 'usage',
    message: `"${fact.version}" is no version of a release.`,
    hint: 'A semantic version such as v1.2.3 or v1.2.3-rc.1, or a time such as v20250810-1234.',
  })
}

/** The release of the project is what a job uploads, and there is no job. */
export function releaseArtifactUngiven(fact: { readonly artifact: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_ARTIFACT_UNGIVEN',
    kind: 'usage',
    message: `A release of this project holds the artifact "${fact.artifact}", and without a run nobody uploads it.`,
    hint: `Say which folder it is: \`--artifact ${fact.artifact}=FOLDER\`.`,
  })
}

/** A release without a run needs the configuration that the commit has. */
export function projectMissing(fact: { readonly sha: string }): KnownError {
  return new KnownError({
    code: 'PROJECT_MISSING',
    kind: 'usage',
    message: `Commit ${fact.sha.slice(0, 7)} has no shipway.yml at the root of the repository, so nobody can tell what a release of it holds.`,
    hint: '`shipway init` writes one; commit it.',
  })
}

/** `release.versions` names files that say no version. */
export function componentVersionUnreadable(fact: {
  readonly sha: string
  readonly problems: readonly {
    readonly component: string
    readonly file: string
    readonly problem: string
    readonly line?: number
  }[]
}): KnownError {
  const of = fact.problems.map(({ component }) => component).join(', ')
  return new KnownError({
    code: 'COMPONENT_VERSION_UNREADABLE',
    kind: 'usage',
    message: `The version of ${of} cannot be read from commit ${fact.sha.slice(0, 7)}.`,
    hint: 'Correct the file, or "release.versions" in shipway.yml: { file: …, pattern: \'version = "{version}"\' }.',
    details: fact.problems.map(
      ({ component, file, line, problem }) =>
        `${component}: ${file}${line === undefined ? '' : `:${line}`}: ${problem}`,
    ),
  })
}

/** A job that `release.requires` names is not green. */
export function releaseJobNotGreen(fact: {
  readonly job: string
  readonly found: string
  readonly run: string
}): KnownError {
  return new KnownError({
    code: 'RELEASE_JOB_NOT_GREEN',
    kind: 'refused',
    message: `No release is sealed, because job "${fact.job}" is not green: ${fact.found}.`,
    hint: `See \`shipway logs ${fact.run}\`; "release.requires" in shipway.yml names the jobs that must be green.`,
  })
}

/** A run that left out a part of its workflow has not checked what a release must have passed. */
export function releasePartial(fact: { readonly flag: '--job' | '--matrix'; readonly run: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_PARTIAL',
    kind: 'refused',
    message: `No release is sealed, because ${fact.flag} left out a part of the workflow, and a release must have passed all of it.`,
    hint: 'Run it whole: `shipway run`. `shipway release list` shows what whole runs have sealed.',
  })
}

interface SiblingRun {
  readonly number: number
  readonly workflow: string
}

/** One event makes one release, and another of its runs was first. */
export function releaseOfSibling(fact: SiblingRun & { readonly version: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_OF_SIBLING',
    kind: 'refused',
    message: `Run #${fact.number} (${fact.workflow}) of the same event has sealed ${fact.version}: one event makes one release.`,
    hint: `See \`shipway release show ${fact.version}\`.`,
  })
}

/** The release of an event waits for the other workflows that answer to it. */
export function releasePending(fact: SiblingRun & { readonly run: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_PENDING',
    kind: 'waiting',
    message: `The release is sealed when run #${fact.number} (${fact.workflow}) of the same event is green, too.`,
    hint: `\`shipway why ${fact.run}\` says where it is; "release.requires" in shipway.yml names the jobs that a release needs, and then it waits for those only.`,
  })
}

/** Another workflow of the same event is red. */
export function releaseSiblingRed(
  fact: SiblingRun & { readonly run: string; readonly conclusion: string },
): KnownError {
  return new KnownError({
    code: 'RELEASE_SIBLING_RED',
    kind: 'refused',
    message: `No release is sealed, because run #${fact.number} (${fact.workflow}) of the same event ended with ${fact.conclusion}.`,
    hint: `See \`shipway why ${fact.run}\`; "release.requires" in shipway.yml names the jobs that a release needs, when it is not all of them.`,
  })
}

/** No job of the run uploaded the artifact that the release is made of. */
export function releaseArtifactMissing(fact: {
  readonly artifact: string
  readonly uploaded: readonly string[]
}): KnownError {
  const found = fact.uploaded.length === 0 ? 'the run uploaded none' : `the run uploaded: ${fact.uploaded.join(', ')}`
  return new KnownError({
    code: 'RELEASE_ARTIFACT_MISSING',
    kind: 'red',
    message: `The release is made of the artifact "${fact.artifact}", but ${found}.`,
    hint: 'Upload it in a job with `uses: actions/upload-artifact`, or name another one as "release.artifact" in shipway.yml.',
  })
}

/** The files that `release.files` selects are none. */
export function releaseEmpty(fact: { readonly found: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_EMPTY',
    kind: 'usage',
    message: `The release would hold no file: ${fact.found}.`,
    hint: 'Check "release" in shipway.yml.',
  })
}

/** An artifact manifest, or a path in it, that no target may get. */
export function releaseFileInvalid(fact: { readonly path: string; readonly problem: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_FILE_INVALID',
    kind: 'usage',
    message: `The file "${fact.path}" cannot be part of a release: ${fact.problem}.`,
    hint: 'Leave it out: "release.files" in shipway.yml takes patterns with "!", such as ["**", "!.env"].',
  })
}

/** The file of `release.images` does not name images by digest. */
export function releaseImagesInvalid(fact: { readonly path: string; readonly problem: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_IMAGES_INVALID',
    kind: 'usage',
    message: `The file "${fact.path}" of release.images cannot be used: ${fact.problem}.`,
    hint: 'Let the job that pushes the images write it, {"backend": "ghcr.io/acme/backend@sha256:…"}, and upload it with the artifact of the release.',
  })
}

/** Content that a release names is not in the blob store, or is not what its digest says. */
export function releaseContentDamaged(fact: {
  readonly path: string
  readonly digest: string
  readonly found: 'missing' | 'damaged'
}): KnownError {
  return new KnownError({
    code: 'RELEASE_CONTENT_DAMAGED',
    kind: 'red',
    message: `The content of "${fact.path}" (${fact.digest.slice(0, 12)}) is ${fact.found} in the blob store.`,
    hint: 'Run the pipeline again to build it anew. `shipway doctor` checks the home.',
  })
}

/** Nothing was found for what a person wrote: an id, its beginning, a version, `latest`. */
export function releaseNotFound(fact: {
  readonly release: string
  readonly application: string
  readonly known: readonly string[]
}): KnownError {
  const known = fact.known.length === 0 ? 'it has none yet' : `the newest are ${fact.known.join(', ')}`
  return new KnownError({
    code: 'RELEASE_NOT_FOUND',
    kind: 'usage',
    message: `There is no release "${fact.release}" of ${fact.application}; ${known}.`,
    hint: fact.known.length === 0 ? 'A green run seals one: `shipway run`.' : 'See `shipway release list`.',
  })
}

/** The beginning of an id fits several releases. */
export function releaseAmbiguous(fact: { readonly release: string; readonly matches: readonly string[] }): KnownError {
  return new KnownError({
    code: 'RELEASE_AMBIGUOUS',
    kind: 'usage',
    message: `"${fact.release}" is the beginning of several releases: ${fact.matches.join(', ')}.`,
    hint: 'Write more of the id, or the version.',
  })
}

/** A file that should hold a release does not, or holds another than it says. */
export function releaseImportInvalid(fact: { readonly release: string; readonly problem: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_IMPORT_INVALID',
    kind: 'usage',
    message: `${fact.release} cannot be taken in: ${fact.problem.replace(/\.+$/, '')}.`,
    hint: 'Take the file that `shipway release export VERSION` wrote, unchanged.',
  })
}
