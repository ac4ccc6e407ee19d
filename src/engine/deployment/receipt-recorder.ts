import type {
  DeploymentReceipt,
  DrainReceipt,
  HealthReceipt,
  TargetReceipt,
  TrafficReceipt,
} from '#core/deployment/receipt.ts'
import type { Clock } from '#ports/clock.ts'
import type { TargetProof } from '#ports/deploy-driver.ts'

type TargetPhaseName = keyof TargetReceipt['phases']

interface MeasuredTarget {
  sentBytes?: number
  sentFiles?: number
  drained?: DrainReceipt
  phases: Partial<Record<TargetPhaseName, number>>
}

/** Collects while a deployment is driven what its receipt will say. After a restart it begins anew: what was not measured is not claimed. */
export class ReceiptRecorder {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #startedAt: number
  readonly #targets = new Map<string, MeasuredTarget>()
  readonly #spans = new Map<keyof DeploymentReceipt['phases'], { from: number; to: number }>()
  #health: HealthReceipt | undefined

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
    this.#startedAt = clock.monotonic()
  }

  /** Runs work and counts its time for a phase, and for a target where there is one. */
  async measure<T>(
    phase: keyof DeploymentReceipt['phases'],
    target: string | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    const from = this.#clock.monotonic()
    try {
      return await work()
    } finally {
      const to = this.#clock.monotonic()
      const span = this.#spans.get(phase)
      this.#spans.set(phase, { from: Math.min(from, span?.from ?? from), to: Math.max(to, span?.to ?? to) })
      if (target !== undefined && phase !== 'verify') this.#target(target).phases[phase] = Math.round(to - from)
    }
  }

  sent(target: string, counts: { readonly sentBytes: number; readonly sentFiles: number }): void {
    Object.assign(this.#target(target), counts)
  }

  proved(target: string, { drained }: TargetProof): void {
    if (drained !== undefined) this.#target(target).drained = drained
  }

  health(receipt: HealthReceipt): void {
    this.#health = receipt
  }

  receipt(known: {
    readonly traffic?: TrafficReceipt
    readonly cannotProve: readonly string[]
    readonly budgets: { readonly deployMs?: number; readonly healthMs?: number }
  }): DeploymentReceipt {
    const { traffic, cannotProve } = known
    const { deployMs, healthMs } = known.budgets
    const budgets = {
      ...(deployMs === undefined ? {} : { deployMs }),
      ...(healthMs === undefined ? {} : { healthMs }),
    }
    return {
      targets: [...this.#targets].map(([name, target]) => ({ name, ...target })),
      phases: Object.fromEntries([...this.#spans].map(([phase, { from, to }]) => [phase, Math.round(to - from)])),
      totalMs: Math.round(this.#clock.monotonic() - this.#startedAt),
      ...(traffic === undefined ? {} : { traffic }),
      ...(this.#health === undefined ? {} : { health: this.#health }),
      ...(Object.keys(budgets).length === 0 ? {} : { budgets }),
      ...(cannotProve.length === 0 ? {} : { cannotProve }),
    }
  }

  #target(name: string): MeasuredTarget {
    const known: MeasuredTarget = this.#targets.get(name) ?? { phases: {} }
    this.#targets.set(name, known)
    return known
  }
}
