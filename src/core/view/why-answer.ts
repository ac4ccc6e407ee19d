import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import type { Reason } from '#core/reason.ts'

/** One reason why something waits or is red: which rule, who can change it, what to type. */
export interface WhyItem {
  readonly state: 'waiting' | 'red' | 'note'
  /** What the reason is about: `job test`, `staging`, `deployment dep_…`. */
  readonly about: string
  readonly rule: string
  readonly message: string
  /** Who can change it; absent when it is anybody who may write to the state home. */
  readonly who?: string
  readonly fix?: string
  /** What tools said about the place: `test/a.js:4: expected 2, found 3`. */
  readonly annotations?: readonly string[]
  /** The end of the failed step's log, as it was written. */
  readonly lastLines?: readonly string[]
}

export interface WhyAnswer {
  /** `run #12 (run_…)`: what was asked about. */
  readonly subject: string
  /** One word for its state now. */
  readonly state: string
  readonly items: readonly WhyItem[]
  /** Of a deployment that has ended. */
  readonly receipt?: DeploymentReceipt
}

/** The last lines of a failed step's log, as far as they could be read. */
export interface StepTail {
  readonly jobKey: string
  readonly step: number
  readonly lines: readonly string[]
}

/** An item of something that is red. */
export function red(about: string, reason: Reason): WhyItem {
  return item('red', about, reason)
}

/** A reason as an item. */
export function item(state: WhyItem['state'], about: string, reason: Reason): WhyItem {
  return {
    state,
    about,
    rule: reason.code,
    message: reason.message,
    ...(reason.who === undefined ? {} : { who: reason.who.join(', ') }),
    ...(reason.hint === undefined ? {} : { fix: reason.hint }),
  }
}
