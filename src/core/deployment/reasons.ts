import { renderDuration } from '#core/project/duration.ts'
import type { Reason } from '#core/reason.ts'

/** A target did not answer where its state had to be known, or it answered and the driver could not go on (`code`). */
export function targetUnreachable(fact: {
  readonly target: string
  readonly why: string
  readonly code?: string
  readonly hint?: string
}): Reason {
  return {
    code: fact.code ?? 'TARGET_UNREACHABLE',
    message: onTarget(fact.target, sentence(fact.why)),
    hint: fact.hint ?? 'Check the host and the way to it, then deploy again.',
  }
}

/** What happened on a target, with its name in front of it unless the sentence says it: with one host that is all the same, with three it must be said. */
export function onTarget(target: string, text: string): string {
  const isNamed = new RegExp(`(?<![\\w-])${RegExp.escape(target)}(?![\\w-])`).test(text)
  return isNamed ? text : `${target}: ${text}`
}

/** A target does not run what it was switched to: it heard no confirmation in time, or somebody else changed it. */
export function targetWentBack(fact: { readonly target: string }): Reason {
  return {
    code: 'TARGET_WENT_BACK',
    message: `Target "${fact.target}" no longer runs the new release: it heard no confirmation in time, or somebody else changed it.`,
    hint: 'Deploy again; "confirmWithin" in shipway.yml is the time that a target waits.',
  }
}

/** Another deployment switched this target and nobody has confirmed or reverted that yet. */
export function targetPending(fact: {
  readonly target: string
  readonly deployment: string
  readonly revertsAt: number
}): Reason {
  const at = new Date(fact.revertsAt).toISOString().slice(0, 19).replace('T', ' ')
  return {
    code: 'TARGET_PENDING',
    message: `Target "${fact.target}" has an open switch of ${fact.deployment}; without a confirmation it goes back by itself at ${at} UTC.`,
    hint: 'It goes on by itself afterwards.',
  }
}

/** `gates.time.deploy`: what is not proved in its time goes back, because nobody can say what it is still doing. */
export function deploymentTooSlow(fact: { readonly environment: string; readonly budgetMs: number }): Reason {
  return {
    code: 'DEPLOYMENT_TOO_SLOW',
    message: `The deployment was not verified within ${renderDuration(fact.budgetMs)} of its start, the budget of ${fact.environment}.`,
    hint: `\`shipway why\` tells what each phase took. "environments.${fact.environment}.gates.time.deploy" in shipway.yml of the default branch is the budget.`,
  }
}

/** The rules in force no longer have the environment. */
export function environmentGone(fact: { readonly environment: string }): Reason {
  return {
    code: 'ENVIRONMENT_GONE',
    message: `The environment "${fact.environment}" is no longer in shipway.yml of the default branch.`,
    hint: 'Put it back there, or deploy to another one.',
  }
}

export function deploymentCancelled(fact: { readonly by: string; readonly reason: string }): Reason {
  return { code: 'DEPLOYMENT_CANCELLED', message: `Cancelled by ${fact.by}: ${sentence(fact.reason)}` }
}

/** A rollback was done, and the release that came back is not healthy either. */
export function rollbackUnhealthy(why: Reason): Reason {
  return {
    code: 'ROLLBACK_UNHEALTHY',
    message: `The rollback was done, but it is not healthy: ${why.message}`,
    hint: 'Nothing goes back by itself from here. Roll back to another version with `shipway rollback <environment> --to <version>`, or deploy a repair.',
  }
}

/** Why nothing is deployed automatically after a rollback. */
export function rolledBack(): Reason {
  return {
    code: 'ENVIRONMENT_ROLLED_BACK',
    message: 'It was rolled back, so nothing is deployed here automatically.',
    hint: 'When the cause is repaired: `shipway resume <environment>`.',
  }
}

/** Why a release is marked that a person has gone back from. */
export function rolledBackBy(by: string, reason: string | undefined): string {
  return `Rolled back by ${by}${reason === undefined ? '.' : `: ${reason}`}`
}

/** Going back did not work everywhere. */
export function targetsUnknown(fact: {
  readonly why: Reason
  readonly targets: readonly string[]
  readonly hasTimer: boolean
}): Reason {
  const itself = fact.hasTimer ? 'and does so by itself when its time is over' : 'and nothing goes back there by itself'
  return {
    code: 'TARGETS_UNKNOWN',
    message: `${fact.why.message} What runs on ${fact.targets.join(', ')} is unknown: it could not be told to go back, ${itself}.`,
    hint: fact.hasTimer
      ? 'Check these hosts; `shipway status` asks them again. Then deploy or roll back.'
      : 'Look at the platform. Then deploy or roll back: both tell it anew what to run.',
  }
}

function sentence(text: string): string {
  const trimmed = text.trim()
  return /[.!?…]$/.test(trimmed) ? trimmed : `${trimmed}.`
}
