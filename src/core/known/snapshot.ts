import { KnownError } from '#core/errors.ts'
import { shellWord } from '#core/shell-word.ts'

/** Where git has a file, the working tree has something that no commit can hold. */
export function fileNotPlain(fact: {
  readonly root: string
  readonly file: string
  readonly what: string
}): KnownError {
  return new KnownError({
    code: 'FILE_NOT_PLAIN',
    kind: 'usage',
    message: `"${fact.file}" in ${fact.root} is a file in git and ${fact.what} on the disk: no commit can hold that.`,
    hint: `Move it away, then \`git restore ${shellWord(fact.file)}\`, or \`git rm --cached ${shellWord(fact.file)}\` and commit that; \`shipway run --ref BRANCH\` runs its commit as it is.`,
  })
}

/** Git cannot make a commit of the working tree: a file that may not be read, a full disk. */
export function snapshotFailed(fact: {
  readonly root: string
  readonly problem: string
  readonly cause: unknown
}): KnownError {
  const lines = fact.problem.split('\n')
  return new KnownError({
    code: 'SNAPSHOT_FAILED',
    kind: 'usage',
    message: `Git cannot take in the changes in ${fact.root} that nobody committed: ${lines[0] ?? ''}`,
    hint: 'Mend what git names (`git add --all --dry-run` says it again), or commit what is to run: `shipway run --ref BRANCH` runs its commit as it is.',
    details: lines,
    cause: fact.cause,
  })
}
