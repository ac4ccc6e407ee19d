import { readFileSync } from 'node:fs'
import type { ProcessMark } from '#ports/runner-pool.ts'

/** The mark of a living process; undefined when there is none with this id, or where `/proc` is not there. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const startTime = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
    return { bootId: bootId(), pid, startTime }
  } catch {
    return undefined
  }
}

/** True when the process of the mark is still that process. */
export function isAlive(mark: ProcessMark): boolean {
  const now = markOf(mark.pid)
  return now !== undefined && now.startTime === mark.startTime && now.bootId === mark.bootId
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}
