import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { DemoTarget, Scratch } from './scratch.ts'

/** Name of the variable by which the demo knows its own processes. */
export const markerVariable = 'DEMO_OF_SHIPWAY'

const goneMsMax = 4_000
const pollMs = 20

/** Stops a target's service through its pid file: the supervisor lets its worker finish what it has begun. */
export async function stopService(target: DemoTarget): Promise<void> {
  const pid = Number(await readFile(join(target.folder, 'run', 'service.pid'), 'utf8').catch(() => ''))
  if (!Number.isInteger(pid) || pid <= 1) return
  // The number in an old file may be somebody else's process by now.
  if (!(await commandLine(pid)).includes(target.folder)) return
  await endProcesses([pid])
}

/**
 * Ends whatever the demo started and what is still there, however it was started: a job of an interrupted run, a timer
 * on a target. This process and those that it did not start never carry the marker.
 */
export async function endMarkedProcesses(scratch: Pick<Scratch, 'marker'>): Promise<void> {
  await endProcesses(await markedProcesses(scratch.marker))
}

/** Ids of living processes that carry the marker in the environment with which they were started. */
export async function markedProcesses(marker: string): Promise<readonly number[]> {
  const wanted = `${markerVariable}=${marker}`
  const found = process.platform === 'linux' ? await searchProc(wanted) : await searchPs(wanted)
  return found.filter((pid) => pid !== process.pid)
}

/** SIGTERM, and SIGKILL for those that stay. */
async function endProcesses(pids: readonly number[]): Promise<void> {
  let left = pids
  for (const name of ['SIGTERM', 'SIGKILL'] as const) {
    for (const pid of left) signal(pid, name)
    for (let waited = 0; waited < goneMsMax && left.length > 0; waited += pollMs) {
      await sleep(pollMs)
      const alive = await Promise.all(left.map(isAlive))
      left = left.filter((_, index) => alive[index])
    }
  }
}

function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch {
    return false // Gone meanwhile, which is what was wanted.
  }
}

/** A process that has ended and waits for a parent that never asks (a container without an init) is not alive. */
export async function isAlive(pid: number): Promise<boolean> {
  return signal(pid, 0) && (process.platform !== 'linux' || (await commandLine(pid)) !== '')
}

async function searchProc(wanted: string): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid))
  const found = pids.map(async (pid) => {
    // Not readable: another user's, or gone meanwhile. A zombie's is empty.
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
    return environment.split('\0').includes(wanted) ? [pid] : []
  })
  return (await Promise.all(found)).flat()
}

/** `E` (BSD, macOS) shows the environment behind the command. */
async function searchPs(wanted: string): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axwwE', '-o', 'pid=,command='], { maxBuffer: 64 * 1024 * 1024 })
  const lines = stdout.split('\n').filter((line) => line.includes(wanted))
  return lines.map((line) => Number.parseInt(line, 10)).filter((pid) => Number.isInteger(pid))
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  const listed = promisify(execFile)('ps', ['-ww', '-o', 'command=', '-p', String(pid)])
  return listed.then(
    ({ stdout }) => stdout,
    () => '',
  )
}
