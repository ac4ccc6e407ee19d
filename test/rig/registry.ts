import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from './deploy.ts'
import type { DockerDaemon } from './docker.ts'
import type { TokenServer } from './token-server.ts'

/** A real registry (Debian's docker-registry) on loopback, that asks for a login. */
export interface Registry extends AsyncDisposable {
  /** `127.0.0.1:<port>` */
  readonly server: string
  readonly username: string
  readonly password: string
  /** Pushes an image under a name of this registry, and returns it by digest. */
  push(docker: DockerDaemon, image: string, name: string): Promise<string>
}

const username = 'deploy'
const password = 'the registry word'
/** bcrypt of the password. */
const users = `${username}:$2b$04$MaeaybGFG5LLlDcBASs4w.8P8w1G6560Re2Xh1sTntcxlyN/IQTe.\n`

/** Ends the registry when the pipe from the test closes, however the test ends. */
const keeper = 'docker-registry serve "$1" 2>&1 & registry=$!; cat >/dev/null; kill "$registry"; wait "$registry"'

/** The caller has asked `requireSystem(['docker-registry'])`. Without `auth` it knows the user below by the password. */
export async function startRegistry(auth?: TokenServer['auth']): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-registry-'))
  await writeFile(join(folder, 'users'), users)
  await writeFile(join(folder, 'config.yml'), configuration(folder, auth))
  const child = spawn('sh', ['-c', keeper, 'keeper', join(folder, 'config.yml')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  const gone = new Promise((resolve) => child.once('exit', resolve))
  const portOf = () => /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1]
  await until('the registry listens', () => portOf() !== undefined)
  const server = `127.0.0.1:${portOf()}`
  return {
    server,
    username,
    password,
    push: (docker, image, name) => push({ docker, image, name: `${server}/${name}` }, folder),
    [Symbol.asyncDispose]: async () => {
      child.stdin.end()
      await gone
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function configuration(folder: string, auth: TokenServer['auth'] | undefined): string {
  return JSON.stringify({
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, 'data') } },
    http: { addr: '127.0.0.1:0' },
    auth: auth ?? { htpasswd: { realm: 'test', path: join(folder, 'users') } },
  })
}

async function push(
  { docker, image, name }: { docker: DockerDaemon; image: string; name: string },
  folder: string,
): Promise<string> {
  const config = join(folder, 'docker')
  await mkdir(config, { recursive: true })
  const auth = Buffer.from(`${username}:${password}`).toString('base64')
  const server = name.split('/')[0] ?? ''
  await writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [server]: { auth } } }))
  await docker.docker('tag', image, name)
  const { stdout } = await promisify(execFile)('docker', ['--config', config, 'push', name], {
    env: { ...process.env, ...docker.env },
  })
  await docker.docker('image', 'rm', name)
  const digest = /digest: (sha256:[0-9a-f]{64})/.exec(stdout)?.[1]
  if (digest === undefined) throw new Error(`docker push named no digest:\n${stdout}`)
  return `${name.replace(/:[^:/]*$/, '')}@${digest}`
}
