import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import { colourDefaults } from '#core/nginx/colour.ts'
import type { ColourConfig } from '#core/nginx/colour.ts'
import type { HostTarget } from '#core/project/model.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'
import type { HostShell } from '#ports/host-shell.ts'
import { until } from './deploy.ts'
import type { DriverStage } from './driver-contract.ts'
import { freePort } from './free-port.ts'
import { startNginx } from './nginx.ts'
import type { NginxServer } from './nginx.ts'
import { processesWith } from './sshd.ts'
import type { SshServer } from './sshd.ts'

/**
 * A program of a release, in the folder of its release: `/slow/<ms>` takes its time, `/busy` counts those, `/health` follows the file `state`, anything else is a file. What it has
 * begun when it is stopped is lost, so that nginx must have drained. It shows what it was started as.
 */
export const processScript = `const { createServer } = require('node:http')
const { readFileSync } = require('node:fs')
const read = (name) => { try { return readFileSync(__dirname + '/' + name, 'utf8') } catch { return undefined } }
const version = read('version.txt')
let busy = 0
createServer((request, response) => {
  // nginx asks with HTTP/1.0, where Node tells no length by itself.
  const say = (status, text) => response.writeHead(status, { 'content-length': Buffer.byteLength(text) }).end(text)
  const [, slow] = /^\\/slow\\/(\\d+)$/.exec(request.url) ?? []
  if (slow) {
    busy += 1
    return setTimeout(() => say(200, version), Number(slow))
  }
  if (request.url === '/busy') return say(200, String(busy))
  if (request.url === '/') return say(200, version)
  if (request.url === '/colour') return say(200, process.env.SHIPWAY_COLOUR + ' ' + (process.env.GREETING ?? ''))
  if (request.url === '/health') return say(read('state') === 'sick' ? 503 : 200, version)
  const text = read(request.url.slice(1))
  say(text === undefined ? 404 : 200, text ?? '')
}).listen(Number(process.env.SHIPWAY_PORT), '127.0.0.1')
process.on('SIGTERM', () => process.exit(0))
`

/**
 * Starts the program as a unit would: in a session of its own. The id of its process lies beside the target's folder; it waits while there is a `.hold` beside
 * it, too.
 */
export const startCommand = `node=${quoted(process.execPath)}
if [ -s refuse-start ]; then exit 9; fi
while [ -e "$SHIPWAY_PATH.hold" ]; do sleep 0.05; done
setsid "$node" "$PWD/server.js" </dev/null >/dev/null 2>&1 &
echo $! > "$SHIPWAY_PATH.$SHIPWAY_COLOUR.pid"`

export const stopCommand = `pid=$(cat "$SHIPWAY_PATH.$SHIPWAY_COLOUR.pid" 2>/dev/null || :)
rm -f "$SHIPWAY_PATH.$SHIPWAY_COLOUR.pid"
[ -z "$pid" ] || kill "$pid" 2>/dev/null || :`

export type ColourStage = DriverStage & {
  readonly path: string
  readonly nginx: NginxServer
  readonly blueGreen: ColourConfig
  /** Version that a new client is answered with; undefined while nothing is served. */
  version(): Promise<string | undefined>
  /** What answers at the two ports themselves, blue first. */
  colours(): Promise<readonly [string | undefined, string | undefined]>
}

/** A stage for the driver directory whose processes run behind an nginx of its own. */
export async function colourStage(
  sshd?: SshServer,
  more: Partial<ColourConfig> = {},
  shell: (target: HostTarget) => HostShell = openShell,
): Promise<ColourStage> {
  const folder = await mkdtemp(join(tmpdir(), 'shipway-colour-'))
  const path = join(folder, "tar get's")
  const trace = join(folder, 'restarts')
  const name = 'web-live'
  const nginx = await startNginx(name, join(folder, 'nginx'))
  const ports = await freePorts()
  const blueGreen: ColourConfig = {
    ...colourDefaults,
    ports,
    start: startCommand,
    stop: stopCommand,
    health: '/health',
    name,
    upstream: nginx.upstream,
    nginx: nginx.words,
    ...more,
  }
  const target: HostTarget = sshd === undefined ? { kind: 'local', name: 'here', path } : sshd.target(path)
  return {
    path,
    nginx,
    blueGreen,
    target,
    home: join(folder, 'home'),
    files: { 'server.js': processScript },
    settings: { blueGreen },
    startMs: 20_000,
    open: () => directoryDriver({ openShell: shell, clock: systemClock }),
    served: (file) => ask(`${nginx.url}${file}`),
    version: () => ask(nginx.url),
    colours: async () => [await ask(`http://127.0.0.1:${ports[0]}/`), await ask(`http://127.0.0.1:${ports[1]}/`)],
    restart: `cat version.txt >> '${trace}'; echo >> '${trace}'`,
    restarts: async () => (await readFile(trace, 'utf8').catch(() => '')).split('\n').filter(Boolean),
    [Symbol.asyncDispose]: async () => {
      await nginx[Symbol.asyncDispose]()
      await endProcesses(folder)
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

/** Ends what the releases of a folder have started, and scripts that still work there. */
export async function endProcesses(folder: string): Promise<void> {
  await until('nothing works below the folder any more', async () => {
    const left = await processesWith(folder)
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has ended by itself.
      }
    }
    return left.length === 0
  })
}

/** What a new connection is answered with; undefined when that is no success. */
async function ask(url: string): Promise<string | undefined> {
  const answer = await fetch(url, { headers: { connection: 'close' } }).catch(() => undefined)
  return answer?.ok === true ? answer.text() : undefined
}

/** Two ports that nobody has. */
export async function freePorts(): Promise<readonly [number, number]> {
  return [await freePort(), await freePort()]
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
