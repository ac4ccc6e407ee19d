import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { TargetConfig } from '#core/project/model.ts'
import { freePort } from './free-port.ts'
import { findProgram } from './system.ts'

const run = promisify(execFile)

type SshTarget = Extract<TargetConfig, { kind: 'ssh' }>

/** A real OpenSSH server on loopback: own port, own host key, own account key, own known_hosts; nothing of the user's. */
export interface SshServer extends AsyncDisposable {
  readonly port: number
  /** A file of authorized keys, a host's key and so on lie here, and it is a good place for targets. */
  readonly folder: string
  readonly knownHosts: string
  /** Everything that the server has said. */
  log(): Promise<string>
  target(path: string, options?: readonly string[]): SshTarget
  /** The server is rebuilt: it comes back with another host key. Connections end. */
  changeHostKey(): Promise<void>
  /** Nobody's key is accepted any longer. */
  refuseKeys(): Promise<void>
  /** The machine dies: listener and sessions end without a word; what they started lives on. */
  kill(): Promise<void>
  start(): Promise<void>
  /** The machine hangs: connections are taken by the kernel, nobody answers. */
  suspend(): Promise<void>
  resume(): Promise<void>
}

/** What makes a server another host than its neighbours: everybody who logs in finds `content` at `place`. Needs root. */
export interface OwnView {
  readonly place: string
  readonly content: string
}

/**
 * Lines of configuration for sessions that begin in a tenth of the time: no key exchange that keeps secrets for decades, and no `~/.bashrc`,
 * which bash reads only where it is not inside another shell. They find the programs that the tests find, or those on `path`.
 */
export function quickSessions(path = process.env['PATH'] ?? ''): readonly string[] {
  return ['KexAlgorithms curve25519-sha256', `SetEnv SHLVL=1 "PATH=${path}"`]
}

/** Starts a server as the current user. The caller has asked `requireSystem(['openssh-server', 'openssh-client'])`. */
export async function startSshd(moreConfiguration = quickSessions(), view?: OwnView): Promise<SshServer> {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-sshd-'))
  const knownHosts = join(folder, 'known_hosts')
  const port = await freePort()
  // A server that root starts wants this folder; Debian's service file makes it at boot.
  if (userInfo().uid === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 })
  await makeKey(join(folder, 'account_key'))
  await makeKey(join(folder, 'host_key'))
  await writeFile(join(folder, 'authorized_keys'), await readFile(join(folder, 'account_key.pub')), { mode: 0o600 })
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${await readFile(join(folder, 'host_key.pub'), 'utf8')}`)
  await writeFile(join(folder, 'sshd_config'), [...configuration(folder, port), ...moreConfiguration, ''].join('\n'))
  let listener: ChildProcess | undefined
  let stopped: readonly number[] = []
  const start = async (): Promise<void> => {
    listener = await startListener(folder, port, view)
  }
  const kill = async (): Promise<void> => {
    if (listener?.pid === undefined || listener.exitCode !== null || listener.signalCode !== null) return
    const gone = new Promise((resolve) => listener?.once('exit', resolve))
    for (const pid of familyOf(listener.pid)) send(pid, 'SIGKILL')
    await gone
  }
  await start()
  return {
    port,
    folder,
    knownHosts,
    log: () => readFile(join(folder, 'sshd.log'), 'utf8'),
    target: (path, options = []) => ({
      kind: 'ssh',
      name: `127.0.0.1:${port}`,
      user: userInfo().username,
      host: '127.0.0.1',
      port,
      path,
      options: [`IdentityFile=${join(folder, 'account_key')}`, `UserKnownHostsFile=${knownHosts}`, ...options],
    }),
    changeHostKey: async () => {
      await kill()
      await rm(join(folder, 'host_key'))
      await rm(join(folder, 'host_key.pub'))
      await makeKey(join(folder, 'host_key'))
      await start()
    },
    refuseKeys: () => writeFile(join(folder, 'authorized_keys'), ''),
    kill,
    start,
    suspend: async () => {
      stopped = listener?.pid === undefined ? [] : familyOf(listener.pid)
      for (const pid of stopped) send(pid, 'SIGSTOP')
    },
    resume: async () => {
      for (const pid of stopped) send(pid, 'SIGCONT')
      stopped = []
    },
    [Symbol.asyncDispose]: async () => {
      await kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Only loopback, only keys, one account, no system configuration, no PAM. */
function configuration(folder: string, port: number): readonly string[] {
  return [
    'ListenAddress 127.0.0.1',
    `Port ${port}`,
    `HostKey ${join(folder, 'host_key')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    `PidFile ${join(folder, 'sshd.pid')}`,
    `AllowUsers ${userInfo().username}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'PrintMotd no',
    'UseDNS no',
    'MaxStartups 100',
  ]
}

async function makeKey(file: string): Promise<void> {
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'shipway-test', '-f', file])
}

async function startListener(folder: string, port: number, view: OwnView | undefined): Promise<ChildProcess> {
  const program = findProgram('sshd')
  if (program === undefined) throw new Error('sshd is not installed: ask requireSystem first')
  const log = join(folder, 'sshd.log')
  const args = ['-D', '-f', join(folder, 'sshd_config'), '-E', log]
  const bound = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
  const unshare = ['--mount', 'sh', '-c', bound, 'sh', view?.content ?? '', view?.place ?? '', program, ...args]
  const listener =
    view === undefined ? spawn(program, args, { stdio: 'ignore' }) : spawn('unshare', unshare, { stdio: 'ignore' })
  for (let attempt = 0; attempt < 6000; attempt++) {
    if (listener.exitCode !== null) break
    if (await answers(port)) return listener
    await delay(10)
  }
  listener.kill('SIGKILL')
  throw new Error(`sshd did not start: ${await readFile(log, 'utf8').catch(() => 'no log')}`)
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

/** The listener and its session processes: all of them are `sshd`, what they started is not. */
function familyOf(pid: number): readonly number[] {
  const children = childrenOf(pid).filter((child) => nameOf(child).startsWith('sshd'))
  return [pid, ...children.flatMap((child) => familyOf(child))]
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended by itself
  }
}

/** Ids of the processes whose command line holds a text: for "nothing is left behind". */
export async function processesWith(text: string): Promise<readonly number[]> {
  const found: number[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(text)) found.push(Number(name))
  }
  return found
}
