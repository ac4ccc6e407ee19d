import { readdirSync, readFileSync } from 'node:fs'

/** Resident memory of one process in MiB, or undefined when it has ended. `peak` is the highest that it ever had. */
export function residentMiB(pid: number, which: 'now' | 'peak'): number | undefined {
  const field = which === 'now' ? /^VmRSS:\s+(\d+) kB$/m : /^VmHWM:\s+(\d+) kB$/m
  const kilobytes = field.exec(read(`/proc/${pid}/status`))?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

/** A process and everything that it started, from /proc. */
export function processTree(pid: number): readonly number[] {
  const parentOf = new Map<number, number>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    // The name in parentheses may itself hold spaces and parentheses.
    const parent = /.*\) \S (\d+)/s.exec(read(`/proc/${entry}/stat`))?.[1]
    if (parent !== undefined) parentOf.set(Number(entry), Number(parent))
  }
  const tree = new Set([pid])
  for (const known of tree) for (const [child, parent] of parentOf) if (parent === known) tree.add(child)
  return Array.from(tree)
}

/** Program of a process, as it was started: its first two words. */
export function commandOf(pid: number): string {
  return read(`/proc/${pid}/cmdline`).split('\0').slice(0, 2).join(' ')
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // The process has ended.
  }
}
