import type { AgentMessage, RunnerMessage } from '#core/run/job-order.ts'

/** How a runner process is known to a later agent: the process with this id that started at this time. */
export interface ProcessMark {
  readonly bootId: string
  readonly pid: number
  /** Field 22 of `/proc/<pid>/stat`: a pid that was given to another process has another one. */
  readonly startTime: string
}

/** One runner process. It works on one job at a time and survives it. */
export interface RunnerProcess {
  readonly mark: ProcessMark
  send(message: AgentMessage): void
  /** Kills the process at once; its watchdog ends the step that it ran. */
  kill(): void
}

export interface RunnerEvents {
  onMessage(message: RunnerMessage): void
  /** The process is gone, for whatever reason. Called once, last. */
  onExit(why: string): void
}

/** Starts runner processes on this machine. A runner whose agent is gone ends itself. */
export interface RunnerLauncher {
  launch(events: RunnerEvents): RunnerProcess
  /** Makes sure that a process of an earlier agent is gone, with what it ran. Nothing happens to a stranger with the same pid. */
  killLeftover(mark: ProcessMark): void
}
