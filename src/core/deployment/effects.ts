import { unreachable } from '#core/unreachable.ts'
import type { Reason } from '#core/reason.ts'
import { deploymentCancelled } from './reasons.ts'
import type { DeploymentEffect, DeploymentState } from './state.ts'

/**
 * All that a state asks to be done. What is under way already must not be started twice; after a restart all of it is
 * started again. It follows from the state alone, so no effect can be lost between two processes.
 */
export function effectsOf(state: DeploymentState): readonly DeploymentEffect[] {
  if (state.phase === 'gate' || state.phase === 'verify') return [{ kind: state.phase }]
  return state.targets.flatMap(({ name, phase }): readonly DeploymentEffect[] => {
    switch (phase) {
      case 'preparing':
        return [{ kind: 'prepare', target: name }]
      case 'switching':
        return [{ kind: 'switch', target: name }]
      case 'confirming':
        return [{ kind: 'confirm', target: name }]
      case 'reverting':
        return [{ kind: 'revert', target: name, reason: stopReason(state).message }]
      case 'idle':
      case 'prepared':
      case 'switched':
      case 'confirmed':
      case 'doubtful':
      case 'reverted':
      case 'unknown':
        return []
      default:
        return unreachable(phase)
    }
  })
}

/** Why a deployment does not go on: what went wrong first, else who cancelled it. */
export function stopReason(state: {
  readonly failure?: DeploymentState['failure'] | undefined
  readonly cancel?: DeploymentState['cancel'] | undefined
}): Reason {
  if (state.failure !== undefined) return state.failure.reason
  return deploymentCancelled(state.cancel ?? { by: 'nobody', reason: 'no reason given' })
}
