/** What a deployment can prove, stored with it. Durations are milliseconds of a monotonic clock. */
export interface DeploymentReceipt {
  readonly targets: readonly TargetReceipt[]
  readonly phases: Partial<Record<'prepare' | 'switch' | 'verify' | 'confirm' | 'revert', number>>
  readonly totalMs: number
  readonly traffic?: TrafficReceipt
  readonly health?: HealthReceipt
  /** `gates.time` as it was in force, to compare the measured times with. */
  readonly budgets?: { readonly deployMs?: number; readonly healthMs?: number }
  /** What the driver cannot know, in sentences. Absent: nothing of the kind. */
  readonly cannotProve?: readonly string[]
}

export interface TargetReceipt {
  readonly name: string
  readonly sentBytes?: number
  readonly sentFiles?: number
  readonly drained?: DrainReceipt
  readonly phases: Partial<Record<'prepare' | 'switch' | 'confirm' | 'revert', number>>
}

/** What became of the workers of a proxy that were at work when it was switched, and so of the requests that they had. */
export interface DrainReceipt {
  readonly workers: number
  /** From the switch until they were gone, or until nobody waited any longer. */
  readonly milliseconds: number
  /** That were still busy then: their requests were cut. */
  readonly left: number
}

/** What a client saw that asked the health address all the time, over a new connection each time, from before the switch to the end. */
export interface TrafficReceipt {
  readonly url: string
  readonly requests: number
  /** No answer, or one of the 500s. */
  readonly failures: number
  /** Of the failures: connections that broke in the middle. */
  readonly resets: number
  /** Milliseconds between the first and the last failure; 0 without any. */
  readonly failingMs: number
  /** False where nothing ran before: then failures before the first start mean nothing. */
  readonly hadPrevious: boolean
}

export interface HealthReceipt {
  readonly url: string
  readonly answers: number
  readonly milliseconds: number
  /** How long the last answer took; absent when there was none. */
  readonly answerMs?: number
  /** The last answer in a sentence. */
  readonly last: string
}
