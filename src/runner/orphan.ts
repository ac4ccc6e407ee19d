import { readdirSync, readFileSync } from 'node:fs'

/** A process that outlived its job. */
export interface Orphan {
  readonly pid: number
  readonly command: string
}

/**
 * Kills every process that carries the job's mark in its environment, whatever group it is in (actions-semantics 65),
 * and says which they were. A process that a step wants to keep starts with an empty `RUNNER_TRACKING_ID`.
 */
export function killOrphans(mark: string): readonly Orphan[] {
  const needle = Buffer.from(`RUNNER_TRACKING_ID=${mark}\0`)
  const orphans: Orphan[] = []
  for (const name of readFolder('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) continue
    if (readBytes(`/proc/${name}/environ`)?.includes(needle) !== true) continue
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
