import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { DockerDaemon } from './docker.ts'
import { findProgram } from './system.ts'

const run = promisify(execFile)
const programs = ['sh', 'cat', 'env', 'sleep', 'tail']

/**
 * An image of a few megabytes with `sh`, `cat`, `env`, `sleep` and `tail` of this machine, and a file /version: quick to push to a registry, and each
 * content has a digest of its own.
 */
export async function tinyImage(docker: DockerDaemon, tag: string, version: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-image-'))
  try {
    const root = join(folder, 'root')
    await mkdir(join(root, 'tmp'), { recursive: true })
    await writeFile(join(root, 'version'), version)
    for (const name of programs) {
      const program = findProgram(name) ?? `/bin/${name}`
      await place(root, `/bin/${name}`, program)
      const { stdout } = await run('ldd', [program])
      for (const [path] of stdout.matchAll(/\/[^ \n]+(?= \()/g)) await place(root, path, path)
    }
    const archive = join(folder, 'image.tar')
    await run('tar', ['-C', root, '-cf', archive, '.'])
    await docker.docker('import', '--change', 'ENV PATH=/bin', archive, tag)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function place(root: string, path: string, from: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await cp(await realpath(from), join(root, path))
}
