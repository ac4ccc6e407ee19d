import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** A PATH on which the first docker is one whose builds BuildKit carries out, or one where it does not; undefined where there is none. */
export async function pathOfBuilder(wanted: 'buildkit' | 'classic'): Promise<string | undefined> {
  const path = process.env['PATH'] ?? ''
  for (const folder of new Set([...path.split(':'), '/usr/bin'])) {
    const help = await promisify(execFile)(join(folder, 'docker'), ['build', '--help'], {
      env: { PATH: path, HOME: '/nonexistent', DOCKER_BUILDKIT: '1' },
    }).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : { stdout: '' }))
    if (help === undefined) continue
    const found = help.stdout.includes('--secret') ? 'buildkit' : 'classic'
    if (found === wanted) return `${dirname(join(folder, 'docker'))}:${path}`
  }
  return undefined
}
