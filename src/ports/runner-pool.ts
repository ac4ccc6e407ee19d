import type { AgentMessage, RunnerMessage } from '#core/run/job-order.ts'

/** One runner process. It works on one job at a time and survives it. */
export interface RunnerProcess {
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
  /**
   * Makes sure that runners of an earlier agent of this home are gone, with what they ran, even when they hang. Nothing happens to a
   * stranger with the same process id.
   */
  killLeftovers(): void
}
