import { artifactsUnmatched } from '#core/known/runner.ts'
import type { ArtifactFile } from '#core/run/artifact.ts'
import { fitsNamePattern } from '#core/step/name-pattern.ts'
import { listArtifacts, readArtifact, removeArtifact } from './artifact-store.ts'
import type { ActionContext, BuiltInAction } from './built-in-action.ts'
import { record } from './upload-artifact.ts'

/** Makes one artifact of several. Contents are named by their digest, so nothing is copied. */
export const mergeArtifact: BuiltInAction = {
  name: 'actions/upload-artifact/merge',
  inputs: {
    name: 'merged-artifacts',
    pattern: '*',
    'separate-directories': 'false',
    'delete-merged': 'false',
    'retention-days': '0',
    'compression-level': undefined,
    overwrite: 'false',
    'include-hidden-files': 'false',
  },
  run(context: ActionContext): Promise<void> {
    const { inputs, order } = context
    const { artifacts } = order.paths
    const pattern = inputs.text('pattern')
    const manifests = listArtifacts(artifacts)
      .filter((name) => fitsNamePattern(name, pattern))
      .map((name) => readArtifact(artifacts, name))
      .filter((manifest) => manifest !== undefined)
    if (manifests.length === 0) throw artifactsUnmatched({ pattern })
    // Of files with the same path, that of the later artifact counts, as if they were unpacked one after the other.
    const files = new Map<string, ArtifactFile>()
    for (const manifest of manifests) {
      for (const file of manifest.files) {
        if (!inputs.boolean('include-hidden-files') && /(?:^|\/)\./.test(file.path)) continue
        const path = inputs.boolean('separate-directories') ? `${manifest.name}/${file.path}` : file.path
        files.set(path, { ...file, path })
      }
    }
    const sorted = [...files.values()].toSorted((left, right) => (left.path < right.path ? -1 : 1))
    const name = inputs.text('name')
    record(context, name, sorted)
    if (inputs.boolean('delete-merged')) {
      for (const manifest of manifests) if (manifest.name !== name) removeArtifact(artifacts, manifest.name)
    }
    return Promise.resolve()
  },
}
