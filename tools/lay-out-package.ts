import { cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { makeBundle, packageEntries } from './bundle.ts'

const root = join(import.meta.dirname, '..')

/**
 * Lays out the package as npm installs it, from a bundle of today's source: `shipway/` with its launcher, and the pinned Node beside it.
 * `modules` is a folder with the name `node_modules`, by which the launcher knows where it is. Returns the path of the launcher.
 */
export async function layOutPackage(modules: string): Promise<string> {
  const folder = join(modules, 'shipway')
  await makeBundle({ entries: packageEntries, folder: join(folder, 'dist') })
  for (const name of ['bin', 'examples', 'package.json']) {
    await cp(join(root, name), join(folder, name), { recursive: true, verbatimSymlinks: true })
  }
  await mkdir(join(modules, 'node/bin'), { recursive: true })
  await symlink(join(root, 'node_modules/node/bin/node'), join(modules, 'node/bin/node'))
  return join(folder, 'bin/shipway')
}
