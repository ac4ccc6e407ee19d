import { createHash } from 'node:crypto'
import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { canonicalJson } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { artifactDamaged } from '#core/known/runner.ts'
import { isArtifactName, parseArtifactManifest } from '#core/run/artifact.ts'
import type { ArtifactManifest } from '#core/run/artifact.ts'

/** An artifact as the home has it. */
export interface KeptArtifact extends ArtifactManifest {
  /** When it was uploaded, milliseconds since 1970. */
  readonly createdAt: number
  /** Bytes of all its files. */
  readonly size: number
}

/** The artifacts of a run by name, each checked against its digest. Throws ARTIFACT_DAMAGED. */
export async function readArtifacts(home: string, run: string): Promise<readonly KeptArtifact[]> {
  const folder = join(home, homeLayout.artifacts(run))
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = entries.filter((name) => name.endsWith('.json') && !name.startsWith('.')).toSorted()
  return Promise.all(files.map(async (file) => readOne(join(folder, file), file.slice(0, -'.json'.length))))
}

async function readOne(path: string, name: string): Promise<KeptArtifact> {
  const manifest = parseArtifactManifest(await readFile(path, 'utf8'))
  if (typeof manifest === 'string') throw artifactDamaged({ name, problem: manifest })
  if (manifest.name !== name || !isArtifactName(name))
    throw artifactDamaged({ name, problem: 'its name is another one' })
  const digest = createHash('sha256')
    .update(canonicalJson(manifest.files as unknown as Json))
    .digest('hex')
  if (digest !== manifest.digest) throw artifactDamaged({ name, problem: 'its digest does not fit its list of files' })
  return {
    ...manifest,
    createdAt: Math.round((await stat(path)).mtimeMs),
    size: manifest.files.reduce((sum, file) => sum + file.size, 0),
  }
}
