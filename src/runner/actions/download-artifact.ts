import { existsSync, lstatSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import {
  actionInputInvalid,
  actionInputUnsupported,
  artifactDamaged,
  artifactIdsNotFound,
  artifactNotFound,
  artifactRunUnknown,
  pathEscapes,
} from '#core/known/runner.ts'
import { isArtifactName } from '#core/run/artifact.ts'
import type { ArtifactManifest } from '#core/run/artifact.ts'
import { fitsNamePattern } from '#core/step/name-pattern.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import { copyBlob } from '../blob.ts'
import { artifactId, listArtifacts, readArtifact } from './artifact-store.ts'
import type { ActionContext, BuiltInAction } from './built-in-action.ts'

/**
 * Puts artifacts of earlier jobs of the run, or of another run of the same state home, where the step wants them. Every
 * file is checked against its digest.
 */
export const downloadArtifact: BuiltInAction = {
  name: 'actions/download-artifact',
  inputs: {
    name: undefined,
    'artifact-ids': undefined,
    path: undefined,
    pattern: undefined,
    'merge-multiple': 'false',
    repository: undefined,
    'run-id': undefined,
    // All artifacts are on this machine: no token is needed, and none is used.
    'github-token': undefined,
    'skip-decompress': undefined,
    'digest-mismatch': undefined,
  },
  async run(context: ActionContext): Promise<void> {
    const { inputs, order } = context
    const source = await sourceOf(context)
    const wanted = choose(context, source)
    const path = inputs.text('path').replace(/^~(?=\/|$)/, context.home)
    const folder = context.outside(normalizePath(path, order.paths.workspace))
    const isDirect = inputs.text('name') !== '' || idsOf(context).length === 1 || inputs.boolean('merge-multiple')
    for (const manifest of wanted) await unpack(context, manifest, isDirect ? folder : join(folder, manifest.name))
    context.setOutput('download-path', context.inside(folder))
    context.print([`Downloaded ${wanted.length} artifact(s) to ${folder}`])
  },
}

/** The folder with the artifacts of the run that the step names. */
async function sourceOf(context: ActionContext): Promise<string> {
  const { inputs, order } = context
  const { artifacts, home } = order.paths
  const repository = inputs.text('repository')
  const own = String(order.contexts.github['repository'] ?? '')
  if (repository !== '' && repository.toLowerCase() !== own.toLowerCase()) {
    const instead = 'Download it in a step of your own, for example with `gh run download`.'
    throw actionInputUnsupported({
      action: 'actions/download-artifact',
      input: 'repository',
      value: repository,
      instead,
    })
  }
  const run = inputs.text('run-id')
  if (run === '' || run === order.runId || run === order.contexts.github['run_id']) return artifacts
  const isNumber = /^\d+$/.test(run)
  const isHere = /^[\w-]+$/.test(run) && existsSync(join(home, homeLayout.artifacts(run)))
  if (!isNumber && !isHere) throw artifactRunUnknown({ run })
  const reply = await context.request({ kind: 'artifacts', run })
  const found = isJsonObject(reply) ? reply['run'] : undefined
  const folder = typeof found === 'string' ? join(home, homeLayout.artifacts(found)) : undefined
  if (folder === undefined || !existsSync(folder)) throw artifactRunUnknown({ run })
  return folder
}

function choose(context: ActionContext, source: string): readonly ArtifactManifest[] {
  const { inputs } = context
  const [name, ids] = [inputs.text('name'), idsOf(context)]
  const known = listArtifacts(source)
  if (name !== '' && ids.length > 0) {
    const expected = 'left out where `name` is given'
    throw actionInputInvalid({
      action: 'actions/download-artifact',
      input: 'artifact-ids',
      value: ids.join(),
      expected,
    })
  }
  const read = (artifact: string): ArtifactManifest => {
    const manifest = isArtifactName(artifact) ? readArtifact(source, artifact) : undefined
    if (manifest === undefined) throw artifactNotFound({ name: artifact, known })
    return manifest
  }
  if (name !== '') return [read(name)]
  if (ids.length === 0) {
    const pattern = inputs.text('pattern')
    return known.filter((artifact) => pattern === '' || fitsNamePattern(artifact, pattern)).map(read)
  }
  const found = known.map(read).filter((manifest) => ids.includes(artifactId(manifest)))
  if (found.length === 0) throw artifactIdsNotFound({ ids, known })
  const missing = ids.filter((id) => !found.some((manifest) => artifactId(manifest) === id))
  if (missing.length > 0) context.warn(`Could not find the following artifact IDs: ${missing.join(', ')}`)
  return found
}

function idsOf({ inputs }: ActionContext): readonly string[] {
  const ids = inputs
    .text('artifact-ids')
    .split(',')
    .map((id) => id.trim())
    .filter((id) => id !== '')
  const wrong = ids.find((id) => !/^\d{1,16}$/.test(id))
  if (wrong === undefined) return [...new Set(ids)]
  const expected = 'numbers, separated by commas'
  throw actionInputInvalid({ action: 'actions/download-artifact', input: 'artifact-ids', value: wrong, expected })
}

async function unpack(context: ActionContext, manifest: ArtifactManifest, folder: string): Promise<void> {
  const { blobs } = context.order.paths
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const root = realpathSync(folder)
  await context.stoppable(async (stop) => {
    for (const file of manifest.files) {
      stop.check()
      const destination = join(root, file.path)
      prepareDestination(destination, root)
      if (!(await copyBlob(blobs, file, destination))) {
        throw artifactDamaged({
          name: manifest.name,
          problem: `the contents of ${file.path} are not what was uploaded`,
        })
      }
    }
  })
}

/**
 * Makes the folder of a file, and makes way for it. Nothing is written through a symbolic link: neither one that a step
 * has made in the workspace nor one in the place of the file.
 */
function prepareDestination(destination: string, root: string): void {
  const folder = dirname(destination)
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  if (!isInside(realpathSync(folder), root)) throw pathEscapes({ path: destination, root })
  const stats = lstatSync(destination, { throwIfNoEntry: false })
  if (stats?.isSymbolicLink() === true) rmSync(destination)
}
