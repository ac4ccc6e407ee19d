import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findProgram, requireSystem } from './system.ts'

const run = promisify(execFile)

/** A real PostgreSQL server of the test's own: a fresh cluster in a scratch folder, reached by a unix socket only. */
export interface PostgresServer extends AsyncDisposable {
  readonly connectionString: string
  /** Path of the unix socket. */
  readonly socket: string
  /** `immediate` is a crash: nothing is written, and the next start recovers. */
  restart(mode: 'fast' | 'immediate'): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts a server, with more settings of the form `name=value`, or says why this machine cannot. */
export async function startPostgres(
  ...settings: readonly string[]
): Promise<PostgresServer | { readonly missing: string }> {
  const reason = await requireSystem(['postgresql'])
  const [initdb, postgres] = [findProgram('initdb'), findProgram('postgres')]
  if (initdb === undefined || postgres === undefined) return { missing: reason ?? '(needs postgresql)' }
  const user = await unprivilegedUser()
  if (user === undefined) return { missing: '(PostgreSQL refuses root, and there is no user postgres or nobody)' }
  const folder = await mkdtemp(join(tmpdir(), 'shipway-postgres-'))
  if (user.uid !== undefined && user.gid !== undefined) await chown(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  const cluster = ['-D', data, '-U', 'shipway', '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-instructions']
  await run(initdb, [...cluster, '--no-sync'], { ...user, cwd: folder })
  const start = (): Promise<ChildProcess> => startServer(postgres, { folder, data, user, settings })
  let server = await start()
  const connectionString = `postgres://shipway@localhost/postgres?host=${encodeURIComponent(folder)}`
  return {
    connectionString,
    socket: join(folder, '.s.PGSQL.5432'),
    restart: async (mode) => {
      await stop(server, mode)
      server = await start()
    },
    stop: () => stop(server, 'fast'),
    start: async () => {
      server = await start()
    },
    [Symbol.asyncDispose]: async () => {
      await stop(server, 'fast')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface User {
  readonly uid?: number
  readonly gid?: number
}

async function unprivilegedUser(): Promise<User | undefined> {
  if (userInfo().uid !== 0) return {}
  for (const name of ['postgres', 'nobody']) {
    try {
      const { stdout } = await run('getent', ['passwd', name])
      const [, , uid, gid] = stdout.split(':')
      return { uid: Number(uid), gid: Number(gid) }
    } catch {
      // no such user
    }
  }
  return undefined
}

/**
 * The keeper holds the read end of a pipe from this process: when the test ends, however it ends, the pipe closes and the
 * server is told to stop. One line on the pipe names the way: `fast` or `immediate`.
 */
const keeper = `"$@" & server=$!
read -r mode
case $mode in immediate) kill -QUIT $server ;; *) kill -INT $server ;; esac
wait $server`

async function startServer(
  binary: string,
  place: { readonly folder: string; readonly data: string; readonly user: User; readonly settings: readonly string[] },
): Promise<ChildProcess> {
  const { folder, data, user } = place
  // A deadlock is looked for after 50 ms and not after a second, so that tests may have some.
  const options = [
    'listen_addresses=',
    `unix_socket_directories=${folder}`,
    'shared_buffers=128MB',
    'max_connections=40',
    'deadlock_timeout=50ms',
    ...place.settings,
  ]
  const settings = options.flatMap((option) => ['-c', option])
  const child = spawn('sh', ['-c', keeper, 'keeper', binary, '-D', data, ...settings], {
    ...user,
    cwd: folder,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  })
  let log = ''
  child.stderr?.on('data', (chunk: Buffer) => (log = `${log}${chunk.toString()}`.slice(-20_000)))
  const deadline = performance.now() + 120_000
  while (!log.includes('database system is ready to accept connections')) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`PostgreSQL does not start:\n${log}`)
    await sleep(20)
  }
  return child
}

async function stop(child: ChildProcess, mode: 'fast' | 'immediate'): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin?.end(`${mode}\n`)
  await ended
}
