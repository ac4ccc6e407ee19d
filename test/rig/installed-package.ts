import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'
import { layOutPackage } from '../../tools/lay-out-package.ts'

/**
 * Has stories run what users run: the package as npm installs it, whose bundle starts in a third of the time that the source takes.
 * `SHIPWAY_TEST_SOURCE=yes` has them run the source, for readable stack traces.
 */

const places = path.resolve(import.meta.dirname, '../../node_modules/.cache/installed')
const daysMax = 2

/** Before the first story. Environment, of all that is started from here: `SHIPWAY_TEST_PROGRAM`, for `program.ts`. */
export async function setup(): Promise<void> {
  if (process.env['SHIPWAY_TEST_SOURCE'] === 'yes') return
  await mkdir(places, { recursive: true })
  const draft = await mkdtemp(path.join(places, 'draft-'))
  await layOutPackage(path.join(draft, 'node_modules'))
  // The same package has the same place, where Node finds it compiled; another checkout may be there first.
  const place = path.join(places, await digestOf(path.join(draft, 'node_modules/shipway')))
  await rename(draft, place).catch(() => undefined)
  await rm(draft, { recursive: true, force: true })
  await utimes(place, new Date(), new Date())
  await removeOld()
  process.env['SHIPWAY_TEST_PROGRAM'] = path.join(place, 'node_modules/shipway/bin/shipway')
}

async function digestOf(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name))
  for (const file of files.toSorted()) hash.update(`${path.relative(folder, file)}\0`).update(await readFile(file))
  return hash.digest('hex').slice(0, 16)
}

async function removeOld(): Promise<void> {
  for (const name of await readdir(places)) {
    const place = path.join(places, name)
    const usedAt = await stat(place).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    )
    if (Date.now() - usedAt > daysMax * 24 * 60 * 60 * 1000) await rm(place, { recursive: true, force: true })
  }
}
