import { unreachable } from '#core/unreachable.ts'
import type { Reason } from '#core/reason.ts'
import { Draft } from './draft.ts'
import { stopReason } from './effects.ts'
import type { TargetObservation } from './observation.ts'
import {
  deploymentCancelled,
  rolledBack,
  rollbackUnhealthy,
  targetsUnknown,
  targetUnreachable,
  targetWentBack,
} from './reasons.ts'
import type {
  DeploymentDecision,
  DeploymentFailure,
  DeploymentInput,
  DeploymentState,
  TargetPhase,
  TargetProgress,
} from './state.ts'

/**
 * The only place where the transitions of a deployment are defined. Pure: the same state and input give the same decision.
 * At its end all targets run the same release, or are unknown, whatever fails on the way.
 */
export function decide(state: DeploymentState, input: DeploymentInput): DeploymentDecision {
  const draft = new Draft(state)
  if (state.phase !== 'done') applyInput(draft, input)
  return draft.decision()
}

function applyInput(draft: Draft, input: DeploymentInput): void {
  switch (input.kind) {
    case 'start':
      if (draft.phase === 'gate') start(draft, input.targets)
      return
    case 'wait':
      if (draft.phase === 'gate') wait(draft, input.reason)
      return
    case 'refuse':
      if (draft.phase === 'gate') draft.finish('refused', input.reason)
      return
    case 'give-up':
      if (draft.phase === 'gate') draft.finish('failure', input.reason)
      return
    case 'supersede':
      if (draft.phase === 'gate') draft.finish('cancelled', input.reason)
      return
    case 'prepared':
      settled(draft, { name: input.target, during: 'preparing', after: 'prepared' })
      return
    case 'switched':
      settled(draft, { name: input.target, during: 'switching', after: 'switched' })
      return
    case 'confirmed':
      settled(draft, { name: input.target, during: 'confirming', after: 'confirmed' })
      return
    case 'reverted':
      settled(draft, { name: input.target, during: 'reverting', after: 'reverted' })
      return
    case 'prepare-failed':
      failed(draft, { name: input.target, during: 'preparing', after: 'idle', failure: input.failure })
      return
    case 'switch-failed':
      failed(draft, { name: input.target, during: 'switching', after: 'doubtful', failure: input.failure })
      return
    case 'switch-refused':
      switchRefused(draft, input)
      return
    case 'confirm-failed':
      failed(draft, { name: input.target, during: 'confirming', after: 'doubtful', failure: input.failure })
      return
    case 'revert-failed':
      failed(draft, { name: input.target, during: 'reverting', after: 'unknown', failure: input.failure })
      return
    case 'verified':
      if (draft.phase === 'verify') verified(draft)
      return
    case 'verify-failed':
      if (draft.phase === 'verify') verifyFailed(draft, input.failure)
      return
    case 'overdue':
      overdue(draft, input.failure)
      return
    case 'cancel':
      cancel(draft, input)
      return
    case 'resumed':
      resume(draft, input.observations)
      return
    default:
      unreachable(input)
  }
}

function start(draft: Draft, targets: readonly { readonly name: string; readonly from?: string }[]): void {
  draft.targets = targets.map((target): TargetProgress => ({ ...target, phase: 'preparing' }))
  draft.enter('prepare')
}

function wait(draft: Draft, reason: Reason): void {
  if (draft.reason?.code === reason.code && draft.reason.message === reason.message) return
  draft.reason = reason
  draft.writes.push({ kind: 'event', event: { type: 'deployment.waiting', reason } })
}

function settled(draft: Draft, step: { name: string; during: TargetPhase; after: TargetPhase }): void {
  if (draft.target(step.name)?.phase !== step.during) return
  draft.move(step.name, step.after)
  proceed(draft)
}

function failed(
  draft: Draft,
  step: { name: string; during: TargetPhase; after: TargetPhase; failure: DeploymentFailure },
): void {
  if (draft.target(step.name)?.phase !== step.during) return
  draft.move(step.name, step.after, step.failure.reason)
  if (step.failure.isStop !== true || draft.cancel === undefined) draft.failure ??= step.failure
  proceed(draft)
}

/** It is as it was prepared, and stays so. */
function switchRefused(draft: Draft, { target, reason }: { readonly target: string; readonly reason: Reason }): void {
  if (draft.target(target)?.phase !== 'switching') return
  draft.move(target, 'prepared', reason)
  draft.failure ??= { reason, isReleaseBad: false, isDrift: true }
  proceed(draft)
}

function verified(draft: Draft): void {
  if (draft.cancel === undefined && draft.failure === undefined) beginConfirm(draft)
  else beginRevert(draft)
}

function verifyFailed(draft: Draft, failure: DeploymentFailure): void {
  draft.failure ??= failure
  // A rollback stays although it is unhealthy: see the drawing at DeploymentState.
  if (draft.mode === 'rollback' && draft.cancel === undefined) beginConfirm(draft)
  else beginRevert(draft)
}

/** What is in flight ends first, as for any other failure. Going back has no budget: it would have nowhere to go. */
function overdue(draft: Draft, failure: DeploymentFailure): void {
  const isOpen = draft.phase === 'prepare' || draft.phase === 'switch' || draft.phase === 'verify'
  if (!isOpen || draft.mode === 'rollback' || draft.failure !== undefined || draft.cancel !== undefined) return
  draft.failure = failure
  if (draft.phase === 'verify') beginRevert(draft)
  else proceed(draft)
}

/** Before the switch a cancel ends the deployment, after it everything goes back; while targets confirm it comes too late. */
function cancel(draft: Draft, input: { readonly by: string; readonly reason: string }): void {
  if (draft.phase === 'confirm' || draft.phase === 'revert' || draft.cancel !== undefined) return
  draft.cancel = { by: input.by, reason: input.reason }
  if (draft.phase === 'gate') draft.finish('cancelled', deploymentCancelled(draft.cancel))
  else if (draft.phase === 'verify') beginRevert(draft)
  else proceed(draft)
}

/** Goes on when nothing is in flight any more. */
function proceed(draft: Draft): void {
  const inFlight: readonly TargetPhase[] = ['preparing', 'switching', 'confirming', 'reverting']
  if (draft.targets.some(({ phase }) => inFlight.includes(phase))) return
  const isStopped = draft.failure !== undefined || draft.cancel !== undefined
  switch (draft.phase) {
    case 'prepare':
      if (isStopped) finishUntouched(draft)
      else beginSwitch(draft)
      return
    case 'switch':
      if (!isStopped) continueSwitch(draft)
      else if (draft.targets.some(isTouched)) beginRevert(draft)
      else finishUntouched(draft)
      return
    case 'confirm':
      if (draft.targets.every(({ phase }) => phase === 'confirmed')) finishConfirmed(draft)
      else beginRevert(draft)
      return
    case 'revert':
      continueRevert(draft)
      return
    case 'gate':
    case 'verify':
    case 'done':
      return
    default:
      unreachable(draft.phase)
  }
}

function beginSwitch(draft: Draft): void {
  draft.enter('switch')
  continueSwitch(draft)
}

function continueSwitch(draft: Draft): void {
  const waiting = draft.targets.filter(({ phase }) => phase === 'prepared')
  if (waiting.length === 0) {
    draft.enter('verify')
    return
  }
  const isFirst = waiting.length === draft.targets.length
  for (const { name } of isFirst ? waiting.slice(0, 1) : waiting) draft.move(name, 'switching')
}

function beginConfirm(draft: Draft): void {
  draft.enter('confirm')
  for (const { name } of draft.targets) draft.move(name, 'confirming')
}

function beginRevert(draft: Draft): void {
  draft.enter('revert')
  continueRevert(draft)
}

/** One target at a time, the last one first. */
function continueRevert(draft: Draft): void {
  const next = draft.targets.findLast(isTouched)
  if (next === undefined) {
    finishReverted(draft)
    return
  }
  draft.move(next.name, 'reverting')
}

const touchedPhases: readonly TargetPhase[] = ['switching', 'switched', 'confirming', 'confirmed', 'doubtful']

function isTouched({ phase }: TargetProgress): boolean {
  return touchedPhases.includes(phase)
}

function finishUntouched(draft: Draft): void {
  const { failure } = draft
  const conclusion = failure === undefined ? 'cancelled' : failure.isDrift === true ? 'refused' : 'failure'
  draft.finish(conclusion, stopReason(draft))
}

function finishConfirmed(draft: Draft): void {
  if (draft.mode === 'rollback' && !draft.isRehearsal) draft.writes.push({ kind: 'left' })
  draft.writes.push({ kind: 'current' })
  if (draft.failure === undefined) {
    // Somebody went back, so automation must not go forward again by itself.
    if (draft.mode === 'rollback' && !draft.isRehearsal) draft.writes.push({ kind: 'hold', reason: rolledBack() })
    draft.finish('success')
    return
  }
  const reason = rollbackUnhealthy(draft.failure.reason)
  draft.writes.push({ kind: 'hold', reason })
  draft.finish('failure', reason)
}

function finishReverted(draft: Draft): void {
  const unknown = draft.targets.filter(({ phase }) => phase === 'unknown').map(({ name }) => name)
  const why = stopReason(draft)
  const reason = unknown.length === 0 ? why : targetsUnknown({ why, targets: unknown, hasTimer: draft.hasTimer })
  if (draft.failure !== undefined) {
    draft.writes.push({ kind: 'hold', reason })
    if (draft.failure.isReleaseBad) draft.writes.push({ kind: 'bad', reason: draft.failure.reason })
  }
  draft.finish(draft.failure === undefined ? 'cancelled' : 'reverted', reason)
}

/** Compares what was recorded with what the targets say, and goes on from there. */
function resume(draft: Draft, observations: readonly TargetObservation[]): void {
  if (draft.phase === 'gate') return
  for (const [index, target] of draft.targets.entries())
    resumeTarget(draft, target, observations[index] ?? { kind: 'unknown', why: 'nobody asked it' })
  if (draft.phase === 'verify' && (draft.failure !== undefined || draft.cancel !== undefined)) beginRevert(draft)
  else proceed(draft)
}

function resumeTarget(draft: Draft, target: TargetProgress, seen: TargetObservation): void {
  const { name } = target
  switch (target.phase) {
    case 'preparing':
      if (draft.failure !== undefined || draft.cancel !== undefined) draft.move(name, 'idle')
      return
    case 'switching':
      // The link has moved, but its restart command may have been cut: the act is done again, and finishes what is missing.
      if (isOpen(draft, seen) && draft.failure === undefined && draft.cancel === undefined) return
      if (isOnRelease(draft, target, seen)) draft.move(name, 'switched')
      else if (seen.kind === 'known' && seen.current === target.from) draft.move(name, 'prepared')
      else lose(draft, target, seen)
      return
    case 'switched':
      if (draft.phase !== 'revert' && !(seen.kind === 'known' && seen.current === draft.release))
        lose(draft, target, seen)
      return
    case 'confirming':
      // Confirmed or not: the act is done again, since it also ends what the switch has left.
      if (seen.kind === 'known' && seen.current !== draft.release) lose(draft, target, seen)
      return
    case 'reverting':
    case 'idle':
    case 'prepared':
    case 'confirmed':
    case 'doubtful':
    case 'reverted':
    case 'unknown':
      return
    default:
      unreachable(target.phase)
  }
}

/** On the same release again (a redeploy) only the open switch tells whether it has happened. */
function isOnRelease(draft: Draft, target: TargetProgress, seen: TargetObservation): boolean {
  if (seen.kind === 'unknown' || seen.current !== draft.release) return false
  return isOpen(draft, seen) || target.from !== draft.release
}

function isOpen(draft: Draft, seen: TargetObservation): boolean {
  return seen.kind === 'known' && seen.pending?.deployment === draft.id
}

function lose(draft: Draft, target: TargetProgress, seen: TargetObservation): void {
  const reason =
    seen.kind === 'unknown'
      ? targetUnreachable({ ...seen, target: target.name })
      : targetWentBack({ target: target.name })
  draft.move(target.name, 'doubtful', reason)
  draft.failure ??= { reason, isReleaseBad: false }
}
