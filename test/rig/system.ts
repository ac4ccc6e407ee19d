import { execFile } from 'node:child_process'
import { accessSync, constants, globSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Debian packages that tests need, each with the programs that show that it is there. */
const programsOf = {
  'ansible-core': ['ansible-playbook'],
  capistrano: ['cap'],
  debootstrap: ['debootstrap'],
  'docker.io': ['docker', 'dockerd'],
  'docker-compose': ['docker-compose'],
  'docker-registry': ['docker-registry'],
  bsdutils: ['script'],
  git: ['git'],
  nginx: ['nginx'],
  'openssh-client': ['ssh', 'ssh-keygen'],
  'openssh-server': ['sshd'],
  openssl: ['openssl'],
  postgresql: ['postgres', 'initdb'],
  rsync: ['rsync'],
  systemd: ['systemd-run'],
} as const satisfies Record<string, readonly string[]>

export type SystemPart = keyof typeof programsOf
export const systemParts: readonly SystemPart[] = [
  'git',
  'openssh-client',
  'openssh-server',
  'postgresql',
  'debootstrap',
  'docker.io',
  'docker-compose',
  'docker-registry',
  'openssl',
  'nginx',
  'systemd',
]

/** What decides between installing, skipping and failing. */
export interface Machine {
  readonly env: NodeJS.ProcessEnv
  readonly isRoot: boolean
}

const thisMachine: Machine = { env: process.env, isRoot: process.getuid?.() === 0 }

/**
 * Makes sure that parts of the system are there, for tests that run against the real component:
 *
 *     const missing = await requireSystem(['openssh-server'])
 *     describe.skipIf(missing !== undefined)(`a deployment over ssh ${missing ?? ''}`, …)
 *
 * Present: undefined. Missing, and we are root on Debian: installed now. Missing otherwise: the reason to skip with;
 * under `CI=true` an exception instead, because a green run must not have left anything out.
 */
export async function requireSystem(
  parts: readonly SystemPart[],
  machine: Machine = thisMachine,
): Promise<string | undefined> {
  const lookUp = () =>
    parts.filter((part) => !programsOf[part].every((name) => findProgram(name, machine) !== undefined))
  let missing = lookUp()
  if (missing.length === 0) return undefined

  if (machine.isRoot && findProgram('apt-get', machine) !== undefined) {
    await install(missing)
    missing = lookUp()
    if (missing.length === 0) return undefined
  }
  const reason = `(needs ${missing.join(', ')}: apt-get install ${missing.join(' ')})`
  if (machine.env['CI'] === 'true') throw new Error(`CI may not skip a test ${reason}`)
  return reason
}

/** Where a program is: on PATH, where daemons are, or where Debian keeps the versions of PostgreSQL. */
export function findProgram(name: string, machine: Machine = thisMachine): string | undefined {
  const folders = [
    ...(machine.env['PATH'] ?? '').split(':'),
    '/usr/sbin',
    ...globSync('/usr/lib/postgresql/*/bin').toSorted().toReversed(),
  ]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

/** Several test processes may want the same at once: one installs, the others wait and find it done. */
async function install(packages: readonly string[]): Promise<void> {
  // RUNLEVEL=1 keeps the packages from starting their daemons: the rig starts its own, on loopback.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  const locked = [
    '--timeout',
    '600',
    '/var/lock/shipway-test-install',
    'apt-get',
    '-q',
    '-o',
    'DPkg::Lock::Timeout=300',
  ]
  const options = { env, timeout: 900_000, maxBuffer: 64 * 1024 * 1024 }
  await promisify(execFile)('flock', [...locked, 'update'], options)
  await promisify(execFile)('flock', [...locked, 'install', '-y', '--no-install-recommends', ...packages], options)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
