import { lstatSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { artifactDamaged, artifactNotFound, pathEscapes } from '#core/known/runner.ts'
import type { ArtifactManifest } from '#core/run/artifact.ts'
import { isInside, normalizePath, parsePathPatterns } from '#core/step/path-pattern.ts'
import { copyBlob } from '../blob.ts'
import { listArtifacts, readArtifact } from './artifact-store.ts'
import type { ActionContext, BuiltInAction } from './built-in-action.ts'

/** Puts artifacts of earlier jobs of the run into the workspace. Every file is checked against its digest. */
export const downloadArtifact: BuiltInAction = {
  name: 'actions/download-artifact',
  inputs: { name: undefined, path: undefined, pattern: undefined, 'merge-multiple': 'false' },
  async run(context: ActionContext): Promise<void> {
    const { inputs, order } = context
    const { workspace, artifacts } = order.paths
    const name = inputs.text('name')
    const path = inputs.text('path')
    const folder = normalizePath(path, workspace)
    if (!isInside(folder, workspace) && !isInside(folder, order.paths.temp))
      throw pathEscapes({ path, root: workspace })
    const known = listArtifacts(artifacts)
    const wanted = name === '' ? known.filter(matcher(inputs.text('pattern'))) : [name]
    const isMerged = name !== '' || inputs.boolean('merge-multiple')
    for (const artifact of wanted) {
      const manifest = readArtifact(artifacts, artifact)
      if (manifest === undefined) throw artifactNotFound({ name: artifact, known })
      await unpack(context, manifest, isMerged ? folder : join(folder, artifact))
    }
    context.setOutput('download-path', folder)
    context.print([`Downloaded ${wanted.length} artifact(s) to ${folder}`])
  },
}

function matcher(pattern: string): (name: string) => boolean {
  if (pattern === '') return () => true
  const [parsed] = parsePathPatterns(pattern, { base: '/', home: '/' })
  return (name) => parsed?.expression.test(`/${name}`) === true
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
