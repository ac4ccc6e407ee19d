import { readdirSync, readFileSync } from 'node:fs'

/** A process that outlived its job. */
export interface Orphan {
  readonly pid: number
  readonly command: string
}

/** For so long after it was taken a census is believed: a process id may be given to another process after that. */
const CENSUS_MS_MAX = 10_000

/** The processes of this machine at one moment. They cannot be orphans of a job that begins after it. */
export interface Census {
  readonly takenAt: number
  readonly names: ReadonlySet<string>
}

/** Takes a census: it makes the search after a short job cheap, however many processes the machine has. */
export function takeCensus(): Census {
  return { takenAt: performance.now(), names: new Set(readFolder('/proc')) }
}

/**
 * Kills every process that carries the job's mark in its environment, whatever group it is in (actions-semantics 65),
 * and says which they were. A process that a step wants to keep starts with an empty `RUNNER_TRACKING_ID`.
 */
export function killOrphans(mark: string, before: Census): readonly Orphan[] {
  const needle = Buffer.from(`RUNNER_TRACKING_ID=${mark}\0`)
  const isRecent = performance.now() - before.takenAt < CENSUS_MS_MAX
  const orphans: Orphan[] = []
  for (const name of readFolder('/proc')) {
    if (!/^\d/.test(name) || (isRecent && before.names.has(name))) continue
    const pid = Number(name)
    if (pid === process.pid || readBytes(`/proc/${name}/environ`)?.includes(needle) !== true) continue
    const command = readBytes(`/proc/${name}/comm`)?.toString('utf8').trim() ?? ''
    if (kill(pid)) orphans.push({ pid, command })
  }
  return orphans
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Undefined for a process that is gone or belongs to somebody else. */
function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}
