import { existsSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { requireSystem } from '../test/rig/system.ts'
import type { BenchWorld } from './bench-world.ts'

const version = '4.75.1'

/**
 * The local runner that we compare with, because it does comparable work: it plans a graph of jobs and runs shell steps on
 * this machine, without containers. It is installed once, by npm, into the user's cache; it is no dependency of ours.
 */
export async function installGitlabCiLocal(
  world: BenchWorld,
): Promise<{ readonly program: string } | { readonly missing: string }> {
  const missing = await requireSystem(['rsync'])
  if (missing !== undefined) return { missing: `gitlab-ci-local ${missing}` }

  const folder = join(
    process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
    `shipway-bench/gitlab-ci-local-${version}`,
  )
  const program = join(folder, 'node_modules/.bin/gitlab-ci-local')
  if (existsSync(program)) return { program }
  const fresh = `${folder}.${process.pid}`
  try {
    await mkdir(fresh, { recursive: true })
    await writeFile(join(fresh, 'package.json'), '{ "private": true }\n')
    // With the user's own environment: npm needs their registry and proxy.
    await world.run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `gitlab-ci-local@${version}`], {
      cwd: fresh,
      env: process.env,
    })
    await rename(fresh, folder)
    return { program }
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    return { missing: `gitlab-ci-local ${version} could not be installed: ${String(error).split('\n')[0]}` }
  }
}
