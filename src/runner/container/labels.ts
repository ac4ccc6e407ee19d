import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { JobRun } from '../job-run.ts'

/** Names the home, so that agents on one machine leave each other's containers alone. */
export const homeLabel = 'shipway.home'
/** The runner process that made it. */
export const runnerLabel = 'shipway.runner'
/** The mark of the job: one name for everything to remove after it. */
export const jobLabel = 'shipway.job'

/** Labels of everything that a job makes in the engine: by them it is found again when nobody is left who remembers. */
export function labelArguments(job: JobRun): readonly string[] {
  const labels = {
    [homeLabel]: homeName(job.order.paths.home),
    [runnerLabel]: runnerName(process.pid),
    [jobLabel]: job.mark,
  }
  return Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`])
}

export function homeName(home: string): string {
  return createHash('sha256').update(home).digest('hex').slice(0, 16)
}

/** Number and start of a process: a number alone may be given to another one. */
export function runnerName(pid: number): string {
  return `${pid}.${startOf(pid) ?? 'unknown'}`
}

/** Whether the runner with that name still lives on this machine. */
export function isRunnerAlive(name: string): boolean {
  const pid = Number(name.split('.')[0])
  if (!Number.isInteger(pid) || pid <= 0) return false
  const start = startOf(pid)
  if (start !== undefined) return runnerName(pid) === name
  try {
    // Where there is no /proc, the number has to do.
    return !existsProc() && process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Start of a process in ticks since boot: field 22 of its stat line, counted behind the name, which may hold anything. */
function startOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
}

function existsProc(): boolean {
  return read('/proc/self/stat') !== undefined
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
