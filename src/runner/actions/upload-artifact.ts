import { basename, dirname, relative } from 'node:path'
import { actionInputInvalid, artifactEmpty, artifactNameInvalid, artifactTooLarge } from '#core/known/runner.ts'
import { artifactFilesMax, isArtifactName } from '#core/run/artifact.ts'
import type { ArtifactFile, ArtifactManifest } from '#core/run/artifact.ts'
import { commonFolder } from '#core/step/path-pattern.ts'
import { foldersOfBlobs, storeBlob, syncFolder } from '../blob.ts'
import { searchFiles } from '../file-search.ts'
import type { FileSearch } from '../file-search.ts'
import { artifactId, digestOf, publishArtifact } from './artifact-store.ts'
import type { ActionContext, ActionInputs, BuiltInAction } from './built-in-action.ts'

/** Files copied at the same time: enough to keep a disk busy while others are made durable. */
const COPIES_MAX = 4

/** Keeps files of a job for the jobs after it, and for the release. Contents are stored once, however often they occur. */
export const uploadArtifact: BuiltInAction = {
  name: 'actions/upload-artifact',
  inputs: {
    name: 'artifact',
    path: undefined,
    'if-no-files-found': 'warn',
    'retention-days': '0',
    'compression-level': undefined,
    overwrite: 'false',
    'include-hidden-files': 'false',
    archive: 'true',
  },
  async run(context: ActionContext): Promise<void> {
    const { inputs, order } = context
    checkInputs(inputs)
    const paths = inputs.text('path')
    const search = searchFiles(paths, order.paths.workspace, {
      includeHidden: inputs.boolean('include-hidden-files'),
      followLinks: true,
    })
    if (search.files.length === 0) return reportEmpty(context, paths)
    if (search.files.length > artifactFilesMax) {
      throw artifactTooLarge({ name: inputs.text('name'), found: search.files.length, filesMax: artifactFilesMax })
    }
    const files = await storeFiles(context, search)
    if (inputs.boolean('archive')) return record(context, inputs.text('name'), files)
    const [only] = files
    if (only === undefined || files.length > 1) {
      const expected = 'true for more than one file'
      throw actionInputInvalid({ action: 'actions/upload-artifact', input: 'archive', value: 'false', expected })
    }
    const path = basename(only.path)
    record(context, path, [{ ...only, path }], mimeTypeOf(path))
  },
}

/** Makes files that are in the blob store known as an artifact of the run, and says so in log and outputs. */
export function record(context: ActionContext, name: string, files: readonly ArtifactFile[], mimeType?: string): void {
  if (!isArtifactName(name)) throw artifactNameInvalid({ name })
  const { inputs, order } = context
  const digest = digestOf(files)
  const { jobKey, attempt } = order
  const retentionDays = inputs.integer('retention-days')
  const base = { schema: 'shipway.artifact/1', name, jobKey, attempt, retentionDays, files, digest } as const
  const manifest: ArtifactManifest = mimeType === undefined ? base : { ...base, mimeType }
  publishArtifact(order.paths.artifacts, manifest, inputs.boolean('overwrite'))
  const bytes = files.reduce((sum, file) => sum + file.size, 0)
  context.setOutput('artifact-id', artifactId(manifest))
  context.setOutput('artifact-digest', digest)
  context.setOutput('artifact-url', '')
  context.print([`Artifact ${name} has ${files.length} file(s), ${bytes} bytes, sha256 ${digest}`])
}

/** Mistakes are told before the files are read. */
function checkInputs(inputs: ActionInputs): void {
  const action = 'actions/upload-artifact'
  const name = inputs.text('name')
  if (!isArtifactName(name)) throw artifactNameInvalid({ name })
  if (inputs.text('path') === '') {
    throw actionInputInvalid({ action, input: 'path', value: '', expected: 'at least one path' })
  }
  const level = inputs.text('compression-level')
  if (!/^\d?$/.test(level)) {
    throw actionInputInvalid({ action, input: 'compression-level', value: level, expected: 'a number from 0 to 9' })
  }
  inputs.integer('retention-days')
}

/** What a client is told about a file that it downloads as it is. */
function mimeTypeOf(path: string): string {
  const known: Readonly<Record<string, string>> = { html: 'text/html', txt: 'text/plain', json: 'application/json' }
  return known[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream'
}

function reportEmpty(context: ActionContext, path: string): void {
  const paths = path.split('\n').map((line) => line.trim())
  const error = artifactEmpty({ paths })
  switch (context.inputs.choice('if-no-files-found', ['warn', 'error', 'ignore'])) {
    case 'error':
      throw error
    case 'warn':
      return context.warn(error.message)
    case 'ignore':
      return context.print([error.message])
  }
}

async function storeFiles(context: ActionContext, search: FileSearch): Promise<readonly ArtifactFile[]> {
  const { blobs } = context.order.paths
  const root = rootOf(search)
  const stored: ArtifactFile[] = []
  const waiting = search.files.values()
  await context.stoppable(async (stop) => {
    const copy = async () => {
      for (const file of waiting) {
        stop.check()
        const { digest, size } = await storeBlob(file.path, blobs)
        const mode = (file.stats.mode & 0o100) === 0 ? 0o644 : 0o755
        stored.push({ path: relative(root, file.path), mode, size, digest })
      }
    }
    await Promise.all(Array.from({ length: COPIES_MAX }, copy))
  })
  const digests = stored.map((file) => file.digest)
  for (const folder of foldersOfBlobs(blobs, digests)) syncFolder(folder)
  return stored.toSorted((left, right) => (left.path < right.path ? -1 : 1))
}

/**
 * The folder that paths in the artifact are relative to: the one searched folder, the folder of a single file, or
 * what several searched folders have in common (the rule of `actions/upload-artifact`).
 */
function rootOf({ roots, files }: FileSearch): string {
  const [root = '/', ...others] = roots
  if (others.length > 0) return commonFolder(roots)
  return files.length === 1 && files[0]?.path === root ? dirname(root) : root
}
