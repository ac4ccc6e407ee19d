import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from './deploy.ts'
import { freePort } from './free-port.ts'
import { findProgram } from './system.ts'

/** A real nginx on loopback with a prefix of its own: configuration, logs and pid lie in its folder. */
export interface NginxServer extends AsyncDisposable {
  readonly folder: string
  readonly url: string
  /** File that it includes at the level http. */
  readonly upstream: string
  /** How to call it: the words for `compose.blueGreen.nginx`. */
  readonly words: readonly string[]
  /** A line at the level http, read with the next reload. */
  configure(line: string): Promise<void>
  /** Lines of its access log: `status user-agent`. */
  requests(): Promise<readonly string[]>
  errors(): Promise<string>
  stop(): Promise<void>
  start(): Promise<void>
}

/** The caller has asked `requireSystem(['nginx'])`. `group`: what `proxy_pass` names. `place`: a new folder for it, where it must have a name. */
export async function startNginx(group: string, place?: string): Promise<NginxServer> {
  const folder = place ?? (await mkdtemp(join(tmpdir(), 'shipway-nginx-')))
  await mkdir(folder, { recursive: true })
  const port = await freePort()
  const upstream = join(folder, 'upstream.conf')
  const conf = join(folder, 'nginx.conf')
  const words = [findProgram('nginx') ?? 'nginx', '-p', folder, '-e', join(folder, 'error.log'), '-c', conf]
  await writeFile(join(folder, 'more.conf'), '')
  await writeFile(upstream, `# Nothing yet.\nupstream ${group} { server 127.0.0.1:9 down; }\n`)
  await writeFile(conf, configuration(group, port))
  let master: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const [command = '', ...args] = words
    master = spawn(command, [...args, '-g', 'daemon off;'], { stdio: 'ignore' })
    await until('nginx runs', async () => {
      if (master?.exitCode !== null) throw new Error(`nginx does not start:\n${await read(join(folder, 'error.log'))}`)
      return existsSync(join(folder, 'nginx.pid')) && (await isAnswering(port))
    })
  }
  const stop = async (): Promise<void> => {
    if (master === undefined || master.exitCode !== null || master.signalCode !== null) return
    const gone = new Promise((resolve) => master?.once('exit', resolve))
    master.kill('SIGTERM')
    await gone
  }
  await start()
  return {
    folder,
    url: `http://127.0.0.1:${port}/`,
    upstream,
    words,
    configure: (line) => appendFile(join(folder, 'more.conf'), `${line}\n`),
    requests: async () => (await read(join(folder, 'access.log'))).split('\n').filter(Boolean),
    errors: () => read(join(folder, 'error.log')),
    stop,
    start,
    [Symbol.asyncDispose]: async () => {
      await stop()
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

/**
 * No retry at another server, so that each lost answer is seen. The service closes its connections first, so that nginx runs out of no ports.
 */
function configuration(group: string, port: number): string {
  return `worker_processes 2;
pid nginx.pid;
events { worker_connections 4096; }
http {
  log_format story '$status $http_user_agent';
  access_log access.log story;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  proxy_next_upstream off;
  include upstream.conf;
  include more.conf;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://${group}; }
  }
}
`
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}

async function isAnswering(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then(
    () => true,
    () => false,
  )
}

/** Runs nginx as a person would. */
export async function callNginx(nginx: NginxServer, ...args: readonly string[]): Promise<void> {
  const [command = '', ...words] = nginx.words
  await promisify(execFile)(command, [...words, ...args])
}
