import type { DeploymentPhase } from '#core/run/event.ts'
import type { Reason } from '#core/reason.ts'
import { effectsOf } from './effects.ts'
import type {
  DeploymentConclusion,
  DeploymentDecision,
  DeploymentFailure,
  DeploymentState,
  DeploymentWrite,
  TargetPhase,
  TargetProgress,
} from './state.ts'

/** The decision while it is made. */
export class Draft {
  readonly writes: DeploymentWrite[] = []
  readonly mode: DeploymentState['mode']
  readonly isRehearsal: boolean
  readonly hasTimer: boolean
  readonly release: string
  readonly id: string
  phase: DeploymentState['phase']
  targets: readonly TargetProgress[]
  failure: DeploymentFailure | undefined
  cancel: DeploymentState['cancel']
  reason: Reason | undefined
  #conclusion: DeploymentConclusion | undefined
  readonly #before: DeploymentState

  constructor(state: DeploymentState) {
    this.#before = state
    this.id = state.id
    this.mode = state.mode
    this.isRehearsal = state.isRehearsal === true
    this.hasTimer = state.hasNoTimer !== true
    this.release = state.release
    this.phase = state.phase
    this.targets = state.targets
    this.failure = state.failure
    this.cancel = state.cancel
    this.reason = state.reason
    this.#conclusion = state.conclusion
  }

  target(name: string): TargetProgress | undefined {
    return this.targets.find((target) => target.name === name)
  }

  move(name: string, phase: TargetPhase, reason?: Reason): void {
    this.targets = this.targets.map((target) =>
      target.name === name ? { ...target, phase, ...(reason === undefined ? {} : { reason }) } : target,
    )
    const shown = phaseShown[phase]
    if (shown !== undefined)
      this.writes.push({ kind: 'event', event: { type: 'deployment.phase', phase: shown, target: name } })
  }

  enter(phase: DeploymentPhase): void {
    this.phase = phase
    this.reason = undefined
    this.writes.push({ kind: 'event', event: { type: 'deployment.phase', phase } })
  }

  finish(conclusion: DeploymentConclusion, reason?: Reason): void {
    this.phase = 'done'
    this.reason = reason
    this.#conclusion = conclusion
    this.writes.push({
      kind: 'event',
      event: { type: 'deployment.finished', conclusion, ...(reason === undefined ? {} : { reason }) },
    })
  }

  decision(): DeploymentDecision {
    const state: DeploymentState = {
      id: this.id,
      environment: this.#before.environment,
      release: this.release,
      mode: this.mode,
      ...(this.isRehearsal ? { isRehearsal: true } : {}),
      ...(this.hasTimer ? {} : { hasNoTimer: true }),
      phase: this.phase,
      targets: this.targets,
      ...(this.failure === undefined ? {} : { failure: this.failure }),
      ...(this.cancel === undefined ? {} : { cancel: this.cancel }),
      ...(this.#conclusion === undefined ? {} : { conclusion: this.#conclusion }),
      ...(this.reason === undefined ? {} : { reason: this.reason }),
    }
    return { state, writes: this.writes, effects: effectsOf(state) }
  }
}

/** Moves of a target that people see as the beginning of a phase there. */
const phaseShown: Partial<Record<TargetPhase, DeploymentPhase>> = {
  switching: 'switch',
  confirming: 'confirm',
  reverting: 'revert',
}
