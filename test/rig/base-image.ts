import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from './system.ts'

const run = promisify(execFile)

/** Programs of the image beyond a minimal Debian. Changing the list makes a new archive. */
const packages = ['git', 'nodejs', 'postgresql', 'python3-minimal', 'redis-server']

/** What no test reads: a third of the size. */
const leftOut = ['./var/cache/apt/archives/*.deb', './var/lib/apt/lists/*', './usr/share/doc/*', './usr/share/locale/*']

/**
 * An archive of a small Debian, made with `debootstrap` from the package source that this machine uses itself: nothing can
 * be pulled from a registry. It takes most of a minute and stays in the system's folder for temporary files, where a later
 * run finds it; nobody needs it to be there.
 */
export async function baseImageArchive(): Promise<string> {
  const release = await packageSource()
  const folder = join(tmpdir(), 'shipway-test-images')
  const archive = join(folder, `${release.codename}-${packages.join('-')}.tar`)
  if (existsSync(archive)) return archive
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const work = await mkdtemp(join(folder, 'work-'))
  try {
    await run(
      'flock',
      [join(folder, 'lock'), 'sh', '-c', script, 'build', archive, join(work, 'root'), join(work, 'tar')],
      {
        env: {
          ...process.env,
          DEBOOTSTRAP: findProgram('debootstrap') ?? 'debootstrap',
          INCLUDE: packages.join(','),
          CODENAME: release.codename,
          MIRROR: release.site,
          LEFT_OUT: leftOut.map((pattern) => `--exclude=${pattern}`).join('\n'),
        },
        maxBuffer: 64 * 1024 * 1024,
        timeout: 900_000,
      },
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return archive
}

/** Under the lock: another process may have made it in the meantime. */
const script = `
set -e
PATH=$PATH:/usr/sbin:/sbin
[ ! -e "$1" ] || exit 0
"$DEBOOTSTRAP" --variant=minbase --include="$INCLUDE" "$CODENAME" "$2" "$MIRROR"
set -f
IFS='
'
tar -C "$2" $LEFT_OUT -cf "$3" .
mv "$3" "$1"
`

async function packageSource(): Promise<{ readonly site: string; readonly codename: string }> {
  const { stdout } = await run('apt-get', [
    'indextargets',
    '--format',
    '$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)',
    'Created-By: Packages',
  ])
  const rows = stdout.split('\n').map((line) => line.split(' '))
  const main = rows.find(
    ([origin, component, codename]) => origin === 'Debian' && component === 'main' && /^\w+$/.test(codename ?? ''),
  )
  if (main === undefined) throw new Error(`apt-get names no main archive of Debian:\n${stdout}`)
  return { codename: main[2] ?? '', site: main[3] ?? '' }
}
