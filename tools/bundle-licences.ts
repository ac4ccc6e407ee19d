import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The licence texts of all packages that went into the bundle. Their licences ask for that, and a bundle has no node_modules
 * in which one could look. A package without one stops the bundle.
 */
export async function collectLicences(moduleIds: readonly string[]): Promise<string> {
  const folders = new Set(moduleIds.flatMap((id) => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(id)?.[0] ?? []))
  const texts = await Promise.all(Array.from(folders).toSorted().map(licenceOf))
  return texts.join('\n')
}

async function licenceOf(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
  const title = `${String(manifest['name'])} ${String(manifest['version'])} (${String(manifest['license'])})`
  const file = (await readdir(folder)).find((name) => /^licen[cs]e(?:\.\w+)?$/i.test(name))
  if (file === undefined && typeof manifest['license'] !== 'string') throw new Error(`${title} has no licence.`)
  const text = file === undefined ? 'The package has no licence file.\n' : await readFile(join(folder, file), 'utf8')
  return `${title}\n${'='.repeat(title.length)}\n\n${text}`
}
