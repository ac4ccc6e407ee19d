import { KnownError } from '#core/errors.ts'
import { shellWord } from '#core/shell-word.ts'

/** A run has no artifact of this name. */
export function artifactUnknown(fact: {
  readonly name: string
  readonly run: string
  readonly known: readonly string[]
  readonly nearest?: string
}): KnownError {
  const known = fact.known.length === 0 ? 'it has none' : `artifacts: ${fact.known.slice(0, 20).join(', ')}`
  return new KnownError({
    code: 'ARTIFACT_UNKNOWN',
    kind: 'usage',
    message: `The run ${fact.run} has no artifact "${fact.name}" (${known}).`,
    hint: `${fact.nearest === undefined ? '' : `Did you mean "${fact.nearest}"? `}\`shipway artifacts ${fact.run}\` lists them; one whose days are over is removed.`,
  })
}

/** Files that would be overwritten; nothing was written. */
export function artifactTargetTaken(fact: { readonly folder: string; readonly files: readonly string[] }): KnownError {
  const shown = fact.files.slice(0, 3).join(', ')
  const more = fact.files.length > 3 ? ` and ${fact.files.length - 3} more` : ''
  return new KnownError({
    code: 'ARTIFACT_TARGET_TAKEN',
    kind: 'usage',
    message: `In ${fact.folder} there is already ${shown}${more}; nothing was written.`,
    hint: 'Name another folder with --to, or replace these files with --force.',
  })
}

/** A path of an artifact leads through a link, or something stands in its way that no flag replaces. */
export function artifactTargetBlocked(fact: {
  readonly folder: string
  readonly file: string
  readonly problem: string
}): KnownError {
  return new KnownError({
    code: 'ARTIFACT_TARGET_BLOCKED',
    kind: 'usage',
    message: `"${fact.file}" cannot be written below ${fact.folder}: ${fact.problem}.`,
    hint: `Name an empty folder with --to, or look at it first: \`ls -la ${shellWord(fact.folder)}\`.`,
  })
}

/** Artifacts are of runs, and this is a deployment. */
export function runOfArtifactsUnknown(fact: { readonly subject: string }): KnownError {
  return new KnownError({
    code: 'ARTIFACTS_OF_DEPLOYMENT',
    kind: 'usage',
    message: `${fact.subject} is a deployment: only runs have artifacts.`,
    hint: '`shipway ps --all` shows the runs. The files of what was deployed: `shipway release export VERSION`.',
  })
}
