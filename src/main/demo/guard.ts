import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { lstat, readFile, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endMarkedProcesses, isAlive, markerVariable } from './process-sweep.ts'
import { scratchPrefix } from './scratch.ts'
import type { Scratch } from './scratch.ts'

/**
 * The whole guard. While its standard input is open the demo lives; a line says that there is nothing to do any more. Without one the demo was
 * killed: everything that carries its marker is ended, politely first, and the folder goes.
 */
const SCRIPT = `
trap '' HUP INT TERM
marker=$1
folder=$2
if read -r word; then exit 0; fi
find_marked() {
  if [ -d /proc/self ]; then
    for file in $(grep -lszxF "$marker" /proc/[0-9]*/environ); do
      pid=\${file#/proc/}
      echo "\${pid%/environ}"
    done
  else
    ps -axwwE -o pid=,command= | grep -F "$marker" | grep -vF "$folder guard" | while read -r pid rest; do echo "$pid"; done
  fi
}
for signal in TERM TERM TERM KILL KILL KILL KILL KILL; do
  marked=$(find_marked)
  if [ -z "$marked" ]; then break; fi
  kill -$signal $marked 2>/dev/null
  sleep 1
done
if [ -n "$folder" ]; then rm -rf "$folder"; fi
`

/** Names the process that owns a scratch folder, in that folder. */
const ownerFile = 'owner.json'

interface Owner {
  readonly pid: number
  readonly startedAt: string
  readonly marker: string
}

/** Ends what the demo has started when the demo itself cannot: after `kill -9`, or when its terminal and all around it is torn down. */
export interface DemoGuard {
  /** From now on nothing is ended or removed; resolves when the guard is gone. */
  release(): Promise<void>
}

export async function startGuard(scratch: Scratch): Promise<DemoGuard> {
  const owner: Owner = { pid: process.pid, startedAt: await startOf(process.pid), marker: scratch.marker }
  const file = join(scratch.folder, ownerFile)
  if (scratch.isOwn) await writeFile(file, JSON.stringify(owner), { mode: 0o600 })
  const marker = `${markerVariable}=${scratch.marker}`
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'demo-guard', marker, scratch.isOwn ? scratch.folder : ''], {
    detached: true,
    cwd: '/',
    env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const gone = once(child, 'exit').catch(() => undefined)
  child.stdin.on('error', () => undefined)
  // It does not keep the demo alive.
  child.unref()
  return {
    release: async () => {
      await rm(file, { force: true })
      child.ref()
      child.stdin.end('leave\n')
      await gone
    },
  }
}

/** Removes what demos of this user have left behind whose guard was killed with them. */
export async function clearAbandoned(): Promise<void> {
  const parent = await realpath(tmpdir())
  const names = (await readdir(parent).catch(() => [])).filter((name) => name.startsWith(scratchPrefix))
  for (const name of names) {
    const folder = join(parent, name)
    const facts = await lstat(folder).catch(() => undefined)
    const owner = await readOwner(folder)
    if (owner === undefined || facts?.isDirectory() !== true || facts.uid !== process.getuid?.()) continue
    if ((await isAlive(owner.pid)) && (await startOf(owner.pid)) === owner.startedAt) continue
    await endMarkedProcesses(owner)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function readOwner(folder: string): Promise<Owner | undefined> {
  try {
    const owner = JSON.parse(await readFile(join(folder, ownerFile), 'utf8')) as Partial<Owner>
    const { pid, startedAt, marker } = owner
    const isWhole = typeof pid === 'number' && typeof startedAt === 'string' && /^[0-9a-f]{24}$/.test(marker ?? '')
    return isWhole ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}

/** When a process was started, in the kernel's words: with its id it names the process for good. Empty where nobody tells. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name of the program comes second, in brackets, and may hold anything.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}
