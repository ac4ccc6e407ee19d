import type { Palette } from '../palette.ts'
import type { StepLog } from './step-log.ts'

/** What has been seen so far of the runs and deployments that are followed. Grows with jobs, never with log lines. */
export interface LiveState {
  /** Job key → name and start, for jobs that run now. */
  readonly running: Map<string, { readonly name: string; readonly since: number }>
  readonly names: Map<string, string>
  readonly startedAt: Map<string, number>
  readonly deployments: Map<string, SeenDeployment>
  /** What waits now, and why: the last sentence per subject or job, so that it is not said twice. */
  readonly waiting: Map<string, string>
  /** Deployments that a running step waits for: the step's own log tells of them. */
  readonly echoed: Set<string>
  /** Per running job: why its step failed, so that the end of the job does not say it again. */
  readonly failures: Map<string, string>
  /** Per running job: the step whose lines come now. */
  readonly steps: Map<string, StepLog>
  done: number
}

export interface SeenDeployment {
  readonly environment: string
  readonly version: string
  readonly targets: number
  /** The phase that was told last. */
  phase?: string
}

export interface LiveView {
  readonly palette: Palette
  /** Puts the time in front of every change of state: for logs that nobody watches. */
  readonly isStamped: boolean
  readonly isQuiet: boolean
  /** False with `--no-logs`: changes of state only, one line each. */
  readonly hasLogs: boolean
  /** The command tells the end of its deployments itself, with their receipts. */
  readonly leavesOutEnds?: boolean
  /** Milliseconds since 1970: what happened before is taken in, and not shown again. */
  readonly since?: number
  /** Lines of jobs that began before `since` are shown: somebody else leaves out the old ones. */
  readonly keepsOldLogs?: boolean
}

export function startLive(): LiveState {
  return {
    running: new Map(),
    names: new Map(),
    startedAt: new Map(),
    deployments: new Map(),
    waiting: new Map(),
    echoed: new Set(),
    failures: new Map(),
    steps: new Map(),
    done: 0,
  }
}

/** One job in all that is followed. */
export function keyOf(subject: string, key: string): string {
  return `${subject}/${key}`
}

/** A reason to wait, said once however many things wait for it. */
export function waitingLine(
  state: LiveState,
  key: string,
  name: string,
  reason: { readonly message: string; readonly hint?: string },
  paint: Palette['paint'],
): readonly string[] {
  const isSaid = [...state.waiting.values()].includes(reason.message)
  state.waiting.set(key, reason.message)
  if (isSaid) return []
  const hint = reason.hint === undefined ? [] : [`  ${paint('dim', `→ ${reason.hint}`)}`]
  return [`${paint('yellow', '⏳')} ${name} waits: ${reason.message}`, ...hint]
}
