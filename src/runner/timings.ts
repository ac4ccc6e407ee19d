/** How long the runner waits for things, in milliseconds. A test shortens them. */
export interface RunnerTimings {
  /** From SIGINT to SIGTERM when a step is stopped. */
  readonly interruptMs: number
  /** From SIGTERM to SIGKILL. */
  readonly terminateMs: number
  /** How long processes that outlive their step may hold its output. */
  readonly outputGraceMs: number
  readonly heartbeatMs: number
  /** From one try to pull an image to the next; longer after each. */
  readonly pullRetryMs: number
  /** Least time between two messages that the log has grown. */
  readonly logNoticeMs: number
}

/** GitHub's values (actions-semantics 49, 62); the heartbeat is a third of the lease (store.md §5). */
export const runnerTimings: RunnerTimings = {
  interruptMs: 7500,
  terminateMs: 2500,
  outputGraceMs: 5000,
  heartbeatMs: 20_000,
  pullRetryMs: 3000,
  logNoticeMs: 50,
}
