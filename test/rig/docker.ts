import { execFile, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { baseImageArchive } from './base-image.ts'
import { findProgram, requireSystem } from './system.ts'

const run = promisify(execFile)

/**
 * A real Docker daemon, with its own socket, data, containerd and networks. It has no way off this machine: no
 * masquerading, no forwarding, no default bridge. Container names are found within their network, and published ports on
 * loopback.
 */
export interface DockerDaemon {
  /** `DOCKER_HOST` of everybody who is to use it. */
  readonly host: string
  readonly env: Readonly<Record<string, string>>
  /** Runs `docker` and returns what it prints, without the last line end. Throws with its errors otherwise. */
  docker(...args: readonly string[]): Promise<string>
  /** Makes an image from the lines of a Dockerfile; without steps to run it takes a moment. */
  build(tag: string, dockerfile: readonly string[], files?: string): Promise<void>
}

/** For a file whose stories have each their own project: they wait for containers and timers more than they compute. */
export const besideEachOther = { tags: ['slow'], concurrent: true }

/** Packages for services of compose behind nginx on a host over ssh. */
export const farServices = [
  'docker.io',
  'docker-compose',
  'debootstrap',
  'nginx',
  'openssh-server',
  'openssh-client',
] as const

/** Image with bash, git, node, python3, PostgreSQL and Redis of Debian. */
export const baseImage = 'shipway-test/base:1'

/**
 * The daemon of this test run, or why this machine cannot have one. All test files of one run share it: the first that asks
 * starts it, and a keeper ends it and removes its folder when the run is over, however it ends.
 */
export async function sharedDocker(): Promise<DockerDaemon | { readonly missing: string }> {
  const reason = await requireSystem(['docker.io', 'debootstrap'])
  if (reason !== undefined) return { missing: reason }
  if (userInfo().uid !== 0) return { missing: unavailable('(dockerd of the test needs root)') }
  const archive = await baseImageArchive()
  // The process that has started all test files lives as long as the run.
  const owner = process.ppid
  const folder = join(tmpdir(), `shipway-docker-${owner}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const daemon = daemonAt(`unix://${folder}/docker.sock`)
  if (claim(join(folder, 'claimed'))) {
    await startDaemon(folder, owner)
    await daemon.docker('import', archive, baseImage)
    closeSync(openSync(join(folder, 'ready'), 'w'))
  }
  await readyWithin(folder, 120_000)
  return daemon
}

function unavailable(reason: string): string {
  if (process.env['CI'] === 'true') throw new Error(`CI may not skip a test ${reason}`)
  return reason
}

function claim(path: string): boolean {
  try {
    closeSync(openSync(path, 'wx'))
    return true
  } catch {
    return false
  }
}

function daemonAt(host: string): DockerDaemon {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/root', DOCKER_HOST: host }
  const docker = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('docker', args, { env, timeout: 120_000, maxBuffer: 16 * 1024 * 1024 })
    return stdout.trimEnd()
  }
  return {
    host,
    env: { DOCKER_HOST: host },
    docker,
    build: async (tag, dockerfile, files) => {
      const child = run('docker', ['build', '--quiet', '--network', 'none', '--tag', tag, ...contextOf(files)], {
        env: { ...env, DOCKER_BUILDKIT: '0' },
        timeout: 120_000,
      })
      child.child.stdin?.end(`${dockerfile.join('\n')}\n`)
      await child
    },
  }
}

/** A Dockerfile from standard input: with files beside it, or without. */
function contextOf(files: string | undefined): readonly string[] {
  return files === undefined ? ['-'] : ['--file', '-', files]
}

/**
 * Ends when the run does: every container first, then the daemon, then what it left mounted, then the folder. One way to
 * notice it serves a finished, an interrupted and a killed run alike.
 */
const keeper = `
owner=$1 folder=$2; shift 2
PATH=$PATH:/usr/sbin:/sbin
setsid "$@" >"$folder/log" 2>&1 </dev/null &
daemon=$!
while kill -0 "$owner" 2>/dev/null && kill -0 "$daemon" 2>/dev/null; do sleep 0.5; done
containers=$(docker ps --quiet --all)
[ -z "$containers" ] || docker rm --force --volumes $containers >/dev/null 2>&1
kill -TERM "$daemon" 2>/dev/null
( sleep 30; kill -KILL "$daemon" 2>/dev/null ) & last=$!
wait "$daemon"
kill "$last" 2>/dev/null
awk -v below="$folder/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r place; do umount "$place"; done
rm -rf "$folder"
`

/** Whatever image is not here and names no registry on loopback: asking the world for it ends at a closed port. */
const onlyLoopback = {
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1,localhost,::1',
}

async function startDaemon(folder: string, owner: number): Promise<void> {
  const dockerd = findProgram('dockerd') ?? 'dockerd'
  const argv = [dockerd, '--host', `unix://${folder}/docker.sock`, '--data-root', `${folder}/data`]
  const own = ['--exec-root', `${folder}/exec`, '--pidfile', `${folder}/docker.pid`]
  const apart = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false']
  spawn('sh', ['-c', keeper, 'keeper', String(owner), folder, ...argv, ...own, ...apart], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, ...onlyLoopback, DOCKER_HOST: `unix://${folder}/docker.sock` },
  }).unref()
  const log = join(folder, 'log')
  const deadline = performance.now() + 60_000
  while (!(existsSync(log) && readFileSync(log, 'utf8').includes('API listen on'))) {
    if (performance.now() > deadline) throw new Error(`dockerd does not start:\n${readFileSync(log, 'utf8')}`)
    await delay(50)
  }
}

async function readyWithin(folder: string, milliseconds: number): Promise<void> {
  const deadline = performance.now() + milliseconds
  while (!existsSync(join(folder, 'ready'))) {
    if (performance.now() > deadline) throw new Error(`The Docker daemon in ${folder} was not ready in time.`)
    await delay(100)
  }
}
