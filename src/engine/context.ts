import type { AgentNotice } from '#ports/agent-socket.ts'
import type { ActionStore } from '#ports/action-store.ts'
import type { Clock } from '#ports/clock.ts'
import type { Git } from '#ports/git.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Ids } from '#ports/ids.ts'
import type { OpenTracker } from '#ports/issue-tracker.ts'
import type { OpenReleaseDesk } from '#ports/release-desk.ts'
import type { RunnerLauncher } from '#ports/runner-pool.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import type { CheckTicketSignature } from '#ports/ticket-seal.ts'
import type { Machine } from '#core/plan/platform.ts'
import type { Sha256 } from '#core/ticket/envelope.ts'
import type { FailedStep, ShellAnswer } from '#core/run/job-order.ts'
import type { Delivery } from './delivery.ts'

/** What an agent needs of the world. Handed down as one read-only value. */
export interface AgentContext {
  readonly store: SqlDriver
  readonly files: HomeFiles
  readonly git: Git
  readonly actions: ActionStore
  readonly clock: Clock
  readonly ids: Ids
  readonly sha256: Sha256
  readonly launcher: RunnerLauncher
  readonly delivery: Delivery
  readonly openTracker: OpenTracker
  readonly openReleaseDesk: OpenReleaseDesk
  readonly checkSignature: CheckTicketSignature
  /** Names this start of the agent as the holder of its leases; never used again. */
  readonly owner: string
  /** Folder with the `shipway` program, for steps that call it. */
  readonly programs: string
  /** What this machine is, for the labels of `runs-on`. */
  readonly machine: Machine
  /** Runner processes at the same time. */
  readonly slots: number
  /** Opens a shell in the world of a failed step on this process's terminal, and resolves when it was left. Absent: there is no terminal. */
  readonly openShell?: (run: string, key: string, step: FailedStep, signal: AbortSignal) => Promise<ShellAnswer>
  /** What an agent before this one has left on the machine is being removed; an agent that finishes waits for it. Never rejects. */
  readonly sweep?: Promise<void>
  /** Tells this process and those that watch it that something changed. */
  readonly notify: (notice: AgentNotice) => void
}
