import { randomUUID } from 'node:crypto'
import { lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { lstat, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { parseArtifactManifest } from '#core/run/artifact.ts'
import type { HomeAttic, StoredBlob } from '#ports/home-attic.ts'

/** A plan is shown to be applied soon; later its hash alone still binds. Milliseconds. */
const planMs = 30 * 86_400_000

/** How a folder that is on its way out is called, in `tmp/`. */
const GONE = 'gone.'

/** The files of a home for whoever clears it out. */
export function homeAttic(root: string): HomeAttic {
  const at = (path: string): string => join(root, path)
  const tmp = at(homeLayout.tmp)
  return {
    runs: () => namesIn(at(homeLayout.runs)),
    runBytes: async (run) => bytesIn(at(homeLayout.run(run))),
    artifacts: (run) => artifactsIn(at(homeLayout.artifacts(run)), run),
    formerSecrets: () => formerSecretsIn(at(homeLayout.secretVersions)),
    blobs: () => blobsIn(at(homeLayout.blobs)),
    removeRun: async (run) => {
      mkdirSync(tmp, { recursive: true, mode: 0o700 })
      const gone = join(tmp, `${GONE}${randomUUID()}`)
      renameSync(at(homeLayout.run(run)), gone)
      await rm(gone, { recursive: true, force: true })
    },
    removeArtifact: (run, name) => rmSync(join(at(homeLayout.artifacts(run)), `${name}.json`), { force: true }),
    removeBlob: ({ digest, changedAt }) => {
      const path = at(homeLayout.blob(digest))
      // No await between the look and the removal: whoever stores the same contents again touches the blob first.
      const facts = statSync(path, { throwIfNoEntry: false })
      if (facts === undefined || facts.mtimeMs > changedAt) return false
      rmSync(path)
      return true
    },
    clearLeftovers: async (before) => {
      for (const name of namesIn(tmp)) {
        const facts = lstatSync(join(tmp, name), { throwIfNoEntry: false })
        if (name.startsWith(GONE) || (facts !== undefined && facts.mtimeMs < before))
          await rm(join(tmp, name), { recursive: true, force: true })
      }
      for (const name of namesIn(at(homeLayout.plans))) {
        const facts = lstatSync(join(at(homeLayout.plans), name), { throwIfNoEntry: false })
        if (facts !== undefined && facts.mtimeMs < before - planMs)
          rmSync(join(at(homeLayout.plans), name), { force: true })
      }
      const blobs = at(`${homeLayout.blobs}/sha256`)
      for (const name of namesIn(blobs).filter((one) => one.startsWith('.tmp-'))) {
        const facts = lstatSync(join(blobs, name), { throwIfNoEntry: false })
        if (facts !== undefined && facts.mtimeMs < before) rmSync(join(blobs, name), { force: true })
      }
    },
  }
}

function artifactsIn(folder: string, run: string): ReturnType<HomeAttic['artifacts']> {
  const found = []
  for (const file of namesIn(folder)) {
    if (!file.endsWith('.json') || file.startsWith('.')) continue
    const path = join(folder, file)
    const manifest = parseArtifactManifest(readFileSync(path, 'utf8'))
    if (typeof manifest === 'string') return undefined
    const digests = manifest.files.map(({ digest }) => digest)
    const { name, retentionDays } = manifest
    found.push({ run, name, storedAt: statSync(path).mtimeMs, retentionDays, digests })
  }
  return found
}

/** As `homeLayout.formerSecrets` names them; whatever else somebody has put there is none of them. */
function formerSecretsIn(root: string): ReturnType<HomeAttic['formerSecrets']> {
  const factsOf = (...names: readonly string[]) => lstatSync(join(root, ...names), { throwIfNoEntry: false })
  return namesIn(root)
    .filter((application) => factsOf(application)?.isDirectory() === true)
    .flatMap((application) =>
      namesIn(join(root, application))
        .filter((file) => file.endsWith('.json') && factsOf(application, file)?.isFile() === true)
        .map((file) => ({ application, environment: file.slice(0, -'.json'.length) })),
    )
}

function* blobsIn(root: string): Generator<StoredBlob> {
  const folder = join(root, 'sha256')
  for (const name of namesIn(folder)) {
    if (!/^[0-9a-f]{2}$/.test(name)) continue
    for (const digest of namesIn(join(folder, name))) {
      const facts = statSync(join(folder, name, digest), { throwIfNoEntry: false })
      if (facts === undefined || !facts.isFile() || !/^[0-9a-f]{64}$/.test(digest)) continue
      yield { digest, size: facts.size, changedAt: facts.mtimeMs }
    }
  }
}

/** Links are counted as what they are: nothing outside is looked at. */
async function bytesIn(path: string): Promise<number> {
  const facts = await lstat(path).catch(() => undefined)
  if (facts === undefined) return 0
  if (!facts.isDirectory()) return facts.size
  let bytes = 0
  for (const name of await readdir(path).catch(() => [])) bytes += await bytesIn(join(path, name))
  return bytes
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
