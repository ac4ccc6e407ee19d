import { KnownError } from '#core/errors.ts'
import type { Reason } from '#core/reason.ts'

/** A rule of the environment says no to what a person asked for. The code is that of the rule. */
export function deploymentRefused(fact: { readonly reason: Reason }): KnownError {
  return new KnownError({
    code: fact.reason.code,
    kind: 'refused',
    message: fact.reason.message,
    ...(fact.reason.hint === undefined ? {} : { hint: fact.reason.hint }),
  })
}

/** Going back across a migration against the rule is recorded with its reason. */
export function forceUnexplained(): KnownError {
  return new KnownError({
    code: 'FORCE_UNEXPLAINED',
    kind: 'usage',
    message: '"--force" needs a reason: going against a rule is recorded with it.',
    hint: 'Add `--reason "why"`.',
  })
}

/** A rehearsal would put an older release where real users are. */
export function rehearsalRefused(fact: { readonly environment: string; readonly why: string }): KnownError {
  return new KnownError({
    code: 'REHEARSAL_REFUSED',
    kind: 'refused',
    message: `A rollback is not rehearsed on ${fact.environment}: ${fact.why}.`,
    hint: 'Rehearse it on an environment that comes before; see `shipway env list`.',
  })
}

/** A rollback was asked for, and there is nothing to go back to. */
export function rollbackTargetMissing(fact: {
  readonly environment: string
  readonly current?: string
  /** How many good releases back were asked for; 1 without it. */
  readonly steps?: number
  /** The good releases before, nearest first; fewer than `steps`. */
  readonly good?: readonly string[]
  /** Earlier releases that a deployment found bad. */
  readonly bad?: readonly string[]
  /** Releases that earlier rollbacks went away from. */
  readonly left?: readonly string[]
}): KnownError {
  const bad = fact.bad === undefined || fact.bad.length === 0 ? '' : ` that is good: ${fact.bad.join(', ')}`
  const before = fact.current === undefined ? '' : ` before ${fact.current}`
  const left =
    fact.left === undefined || fact.left.length === 0
      ? ''
      : ` What earlier rollbacks went away from is not gone back to by itself: ${fact.left.slice(0, 5).join(', ')}.`
  const { good = [], steps = 1 } = fact
  const releases = good.length === 1 ? 'one good release' : `${good.length} good releases`
  const isShort = good.length > 0
  return new KnownError({
    code: 'ROLLBACK_TARGET_MISSING',
    kind: 'refused',
    message: isShort
      ? `${fact.environment} has run only ${releases}${before} (${good.join(', ')}), so it cannot go ${steps} back.${left}`
      : `${fact.environment} has run no release with success${before}${bad}, so there is nothing to go back to.${left}`,
    hint: isShort
      ? `\`shipway rollback ${fact.environment} ${good.length}\` goes to ${good.at(-1) ?? ''}.`
      : `Name a version: \`shipway rollback ${fact.environment} --to <version>\`; see \`shipway release list\`.`,
  })
}

/** A promotion without a release, and the environments before this one do not run the same. */
export function promotionUnclear(fact: {
  readonly environment: string
  readonly found: readonly string[]
}): KnownError {
  const found =
    fact.found.length === 0
      ? 'it comes after no other environment'
      : `the environments before it run: ${fact.found.join(', ')}`
  return new KnownError({
    code: 'PROMOTION_UNCLEAR',
    kind: 'usage',
    message: `It is not clear which release to promote to ${fact.environment}: ${found}.`,
    hint: `Name it: \`shipway deploy ${fact.environment} --release <version>\`.`,
  })
}

/** The run has sealed nothing that could be deployed. */
export function runReleaseMissing(fact: { readonly run: string }): KnownError {
  return new KnownError({
    code: 'RUN_RELEASE_MISSING',
    kind: 'refused',
    message: `The run ${fact.run} has sealed no release.`,
    hint: 'A commit with shipway.yml and green jobs seals one; see `shipway why`.',
  })
}

/** A request names a run of another application as the one that asks. */
export function runForeign(fact: {
  readonly run: string
  readonly application: string
  readonly found: string
}): KnownError {
  return new KnownError({
    code: 'RUN_FOREIGN',
    kind: 'refused',
    message: `The run ${fact.run} belongs to ${fact.found}, so it cannot ask for a deployment of ${fact.application}.`,
    hint: `See \`shipway ps --app ${fact.application}\`.`,
  })
}

/** A step asked for a deployment just before its run was cancelled: what a run asks for ends with it. */
export function runCancelled(fact: { readonly run: string; readonly by: string }): KnownError {
  return new KnownError({
    code: 'RUN_CANCELLED',
    kind: 'refused',
    message: `${fact.by} has cancelled the run ${fact.run}, so nothing is deployed for it any more.`,
    hint: 'Deploy its release by hand: `shipway deploy ENVIRONMENT VERSION`; see `shipway release list`.',
  })
}

/** A decision, a cancel … came for a deployment that is over. */
export function deploymentDone(fact: { readonly deployment: string; readonly conclusion: string }): KnownError {
  return new KnownError({
    code: 'DEPLOYMENT_DONE',
    kind: 'refused',
    message: `The deployment ${fact.deployment} is already over (${fact.conclusion}).`,
    hint: 'See `shipway status`.',
  })
}

/** A decision came after the start. */
export function deploymentStarted(fact: {
  readonly deployment: string
  readonly phase: string
  readonly wanted: string
}): KnownError {
  return new KnownError({
    code: 'DEPLOYMENT_STARTED',
    kind: 'refused',
    message: `The deployment ${fact.deployment} is in ${fact.phase}; it is too late to ${fact.wanted} it.`,
    hint: 'Follow it with `shipway status`; `shipway rollback` goes back afterwards.',
  })
}

/** The id names nothing. */
export function deploymentNotFound(fact: { readonly deployment: string }): KnownError {
  return new KnownError({
    code: 'DEPLOYMENT_NOT_FOUND',
    kind: 'usage',
    message: `There is no deployment "${fact.deployment}".`,
    hint: 'See `shipway status`.',
  })
}

/** The environment asks for no approval. */
export function approvalNotNeeded(fact: { readonly environment: string; readonly subject: string }): KnownError {
  return new KnownError({
    code: 'APPROVAL_NOT_NEEDED',
    kind: 'usage',
    message: `${fact.environment} asks for no approval, so there is none to give to ${fact.subject}.`,
    hint: '`shipway why` says what it waits for.',
  })
}

/** This person's approval would not count. */
export function approverNotAllowed(fact: {
  readonly actor: string
  readonly environment: string
  readonly why: string
}): KnownError {
  return new KnownError({
    code: 'APPROVER_NOT_ALLOWED',
    kind: 'refused',
    message: `${fact.actor} may not approve for ${fact.environment}: ${fact.why}.`,
    hint: `"environments.${fact.environment}.approvals" in shipway.yml of the default branch says who may.`,
  })
}

/** Nothing of the run waits for a person at an environment. */
export function decisionUnclear(fact: {
  readonly subject: string
  readonly found: readonly string[]
  /** Named in the call, and not one at which it waits. */
  readonly wanted?: string
}): KnownError {
  const { subject, found, wanted } = fact
  const [first] = found
  const where = found.join(', ')
  return new KnownError({
    code: 'DECISION_UNCLEAR',
    kind: 'usage',
    message:
      first === undefined
        ? `Nothing of ${subject} waits for a decision.`
        : wanted === undefined
          ? `${subject} waits at several environments: ${where}.`
          : `${subject} waits for no decision at ${wanted}, but at ${where}.`,
    hint: first === undefined ? '`shipway why` says what it waits for.' : `Name one with \`--environment ${first}\`.`,
  })
}
