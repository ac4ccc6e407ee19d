import { KnownError } from '#core/errors.ts'
import type { Reason } from '#core/reason.ts'

/** What was planned, and approved or asked for, is not what would be done now. */
export function planDrifted(fact: {
  readonly application: string
  readonly environment: string
  readonly version: string
  readonly mode: 'deploy' | 'promote' | 'rollback'
  /** Hash of the plan that was named or approved. */
  readonly plan: string
  /** What differs; empty where nobody knows what the plan was. */
  readonly differences: readonly string[]
}): Reason {
  const why = fact.differences.length === 0 ? 'what would be done now is something else' : fact.differences.join('; ')
  const command = fact.mode === 'deploy' ? 'plan-deploy' : `${fact.mode} --dry-run`
  const words = [command, fact.environment, fact.mode === 'rollback' ? `--to ${fact.version}` : fact.version]
  return {
    code: 'PLAN_DRIFTED',
    message: `The plan ${fact.plan.slice(0, 12)} for ${fact.environment} of ${fact.application} no longer holds: ${why}. Nothing was touched.`,
    hint: `Look at it with \`shipway diff ${fact.environment} --deep\`, then plan again: \`shipway ${words.join(' ')}\`. An approval of the old plan does not count for the new one.`,
  }
}

/** No such plan was made in this home. */
export function planUnknown(fact: { readonly plan: string; readonly environment: string }): KnownError {
  return new KnownError({
    code: 'PLAN_UNKNOWN',
    kind: 'usage',
    message: `This home knows no plan "${fact.plan}".`,
    hint: `Make one: \`shipway plan-deploy ${fact.environment}\`. A plan of another home is named by all 64 digits, with its release.`,
  })
}

/** A hash of a plan is hexadecimal digits, at least eight of them. */
export function planHashInvalid(fact: { readonly plan: string }): KnownError {
  return new KnownError({
    code: 'PLAN_HASH_INVALID',
    kind: 'usage',
    message: `"${fact.plan}" is no hash of a plan.`,
    hint: 'It is the last line of `shipway plan-deploy ENVIRONMENT`: 64 hexadecimal digits, or the first 8 and more of them.',
  })
}

/** The plan is for something else than what is asked. */
export function planForeign(fact: {
  readonly plan: string
  /** Clauses: what it is for, and what was asked. */
  readonly differences: readonly string[]
  readonly environment: string
}): KnownError {
  return new KnownError({
    code: 'PLAN_FOREIGN',
    kind: 'refused',
    message: `The plan ${fact.plan.slice(0, 12)} is another one: ${fact.differences.join('; ')}.`,
    hint: `Plan what you mean: \`shipway plan-deploy ${fact.environment}\`.`,
  })
}

/** A run that waits has no plan: what its job deploys is planned when it does. */
export function planless(fact: { readonly subject: string }): KnownError {
  return new KnownError({
    code: 'PLAN_MISSING',
    kind: 'usage',
    message: `${fact.subject} has no plan yet, so none can be approved by its hash.`,
    hint: `\`shipway approve ${fact.subject}\` lets the job go on; what it deploys then has a plan.`,
  })
}

/** Somebody approves a plan, and the deployment waits with another one. */
export function planNotWaiting(fact: {
  readonly deployment: string
  readonly plan: string
  readonly found: string
  readonly environment: string
  readonly version: string
}): KnownError {
  return new KnownError({
    code: 'PLAN_NOT_WAITING',
    kind: 'refused',
    message: `The deployment ${fact.deployment} waits with the plan ${fact.found.slice(0, 12)}, not with ${fact.plan.slice(0, 12)}.`,
    hint: `An approval is for one plan. Look at it as it is now: \`shipway plan-deploy ${fact.environment} ${fact.version}\`, then \`shipway approve ${fact.deployment} --plan ${fact.found.slice(0, 12)}\`.`,
  })
}
