import { readFileSync } from 'node:fs'

/** How a process is known to a later agent: the process with this id that started at this time since this boot. */
export interface ProcessMark {
  readonly bootId: string
  readonly pid: number
  /** Field 22 of `/proc/<pid>/stat`: a pid that was given to another process has another one. */
  readonly startTime: string
}

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
