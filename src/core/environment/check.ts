import type { GateResult } from '#core/gate/result.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import type { Reason } from '#core/reason.ts'
import type { BadMark } from '#core/release/model.ts'
import type { Freeze } from './freeze.ts'
import * as reasons from './reasons.ts'
import { admitsRef } from './ref-rule.ts'

/** What the rules say. `wait`: time or a person can change it. `refuse`: only another request can. */
export type Verdict =
  | { readonly kind: 'pass' }
  | { readonly kind: 'wait'; readonly reason: Reason }
  | { readonly kind: 'refuse'; readonly reason: Reason }

/** Who wants what. */
export interface EnvironmentSubject {
  /** Run or deployment id, for the commands in hints. */
  readonly id: string
  readonly application: string
  /** `job`: a job of a workflow that names the environment. */
  readonly kind: 'deploy' | 'promote' | 'rollback' | 'job'
  readonly ref: string
  readonly dirty: boolean
  /** Built by the workflow of a stranger: a pull request of another repository. */
  readonly isFromFork?: boolean
  /** Nobody asked for it by hand: a step or `auto`. */
  readonly isAutomatic: boolean
  /** Goes back across a `contract` migration on purpose. */
  readonly isForced?: boolean
  /** Made the change, or asked for this: whom `notAuthor` excludes. */
  readonly authors: readonly string[]
  /** Absent for a job of a run that has sealed nothing yet. */
  readonly release?: {
    readonly id: string
    readonly version: string
    readonly bad?: readonly BadMark[]
  }
}

/** What is known when the rules are asked. */
export interface EnvironmentFacts {
  readonly lock?: { readonly by: string; readonly reason?: string; readonly until?: number }
  readonly hold?: { readonly by: string; readonly reason: string }
  /** For each environment of `after`: has it run the release, and do its `verifiedBy` jobs agree? */
  readonly verifications: Readonly<Record<string, Verification>>
  /** Decisions that are bound to this release and plan, or to this run. */
  readonly decisions: readonly {
    readonly decision: 'approve' | 'reject'
    readonly actor: string
    readonly at: number
    readonly reason?: string
  }[]
  /** Approvals of this subject for another plan or release: they no longer count, and the reason says so. */
  readonly outdatedApprovals: number
  /** The environment has already run this release with success. */
  readonly hasRunBefore: boolean
  /** Required secrets that nobody has given. */
  readonly missingSecrets: readonly string[]
  /** A deployment that has started and is not done. */
  readonly active?: { readonly id: string; readonly version: string; readonly phase: string }
  /** The window that is open now, where one is. */
  readonly freeze?: Freeze
  /** For each environment of `after`: how long it has run the release, and whether it still does. Asked where there is a `soak`. */
  readonly soaked?: Readonly<Record<string, { readonly ms: number; readonly isRunning: boolean }>>
  /** What the gates of the environment say to the evidence about the release; empty where it asks for none. */
  readonly gates?: readonly GateResult[]
  /** A job that still runs and may bring the evidence that is missing. */
  readonly evidencePending?: string
  /** Releases that it would undo and whose migrations cannot be undone. */
  readonly contracts?: readonly { readonly version: string }[]
  /** A newer release that this environment runs, or that is on its way to it. */
  readonly newer?: { readonly version: string }
}

export type Verification =
  | { readonly kind: 'verified' }
  /** Something is still going on that may verify it. */
  | { readonly kind: 'pending'; readonly why: string }
  | { readonly kind: 'missing'; readonly why: string }

export interface EnvironmentQuestion {
  readonly config: EnvironmentConfig
  readonly subject: EnvironmentSubject
  readonly facts: EnvironmentFacts
  /** Milliseconds since 1970. */
  readonly now: number
}

/**
 * What an environment's rules say. What can only be refused is said first, and the question for approvals comes last: nobody is
 * asked for something that would be refused afterwards. Pure: asked again whenever a fact has changed.
 */
export function checkEnvironment(question: EnvironmentQuestion): Verdict {
  for (const [, rule] of rules) {
    const verdict = rule(question)
    if (verdict !== undefined) return verdict
  }
  return { kind: 'pass' }
}

/** What each rule says by itself, in the order in which they are asked: for people, who want to see all of it before they begin. */
export function explainEnvironment(
  question: EnvironmentQuestion,
): readonly { readonly gate: GateName; readonly verdict: Verdict }[] {
  return rules.map(([gate, rule]) => ({ gate, verdict: rule(question) ?? { kind: 'pass' } }))
}

/** A rule as people call it. */
export type GateName =
  | 'decision'
  | 'from'
  | 'fork'
  | 'clean'
  | 'release'
  | 'migration'
  | 'order'
  | 'secrets'
  | 'after'
  | 'soak'
  | 'evidence'
  | 'lock'
  | 'freeze'
  | 'hold'
  | 'queue'
  | 'ports'
  | 'approvals'

/** Undefined: nothing against it. */
type Rule = (question: EnvironmentQuestion) => Exclude<Verdict, { kind: 'pass' }> | undefined

const rules: readonly (readonly [GateName, Rule])[] = [
  ['decision', rejected],
  ['from', wrongRef],
  ['fork', foreign],
  ['clean', dirty],
  ['release', badRelease],
  ['migration', contracted],
  ['order', outdated],
  ['secrets', missingSecrets],
  ['after', unverified],
  ['evidence', unproved],
  ['soak', unsoaked],
  ['lock', locked],
  ['freeze', frozen],
  ['hold', held],
  ['queue', busy],
  ['approvals', unapproved],
]

function rejected({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  const rejection = facts.decisions.find(({ decision }) => decision === 'reject')
  return rejection === undefined
    ? undefined
    : refuse(reasons.rejected({ environment: config.name, subject: subject.id, ...rejection }))
}

function wrongRef({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  if (isReturn(subject, facts) || admitsRef(config.from, subject.ref)) return undefined
  return refuse(reasons.refNotAdmitted({ environment: config.name, ref: subject.ref, from: config.from }))
}

/** An environment without `from` takes any ref, but nobody means the pull requests of strangers by that: they must be named. */
function foreign({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  const isNamed = config.from.some((pattern) => /^refs\/(?:pull|merge-requests)\//.test(pattern))
  if (subject.isFromFork !== true || isNamed || isReturn(subject, facts)) return undefined
  return refuse(reasons.forkNotAdmitted({ environment: config.name, ref: subject.ref }))
}

/** A snapshot that nobody can build again goes only where nothing is asked. */
function dirty({ config, subject }: EnvironmentQuestion): ReturnType<Rule> {
  if (!subject.dirty || (config.after.length === 0 && config.approvals === undefined)) return undefined
  return refuse(reasons.dirtyRelease({ environment: config.name }))
}

function badRelease({ config, subject }: EnvironmentQuestion): ReturnType<Rule> {
  const { release } = subject
  const mark = release?.bad?.find(({ environment }) => environment === config.name)
  if (release === undefined || mark === undefined) return undefined
  return refuse(reasons.badRelease({ environment: config.name, version: release.version, why: mark.reason }))
}

/** The data no longer are as the older release knew them: only a person can know that it works all the same. */
function contracted({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  const [contract] = facts.contracts ?? []
  if (contract === undefined || subject.isForced === true) return undefined
  const fact = { environment: config.name, version: subject.release?.version, contract: contract.version }
  return refuse(reasons.migrationContracted({ ...fact, mode: subject.kind === 'rollback' ? 'rollback' : 'deploy' }))
}

/** Two runs may finish in another order than they began: the older must not undo the newer. Only a person may. */
function outdated({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  if (!subject.isAutomatic || facts.newer === undefined || subject.kind === 'rollback') return undefined
  return refuse(reasons.superseded({ environment: config.name, newer: facts.newer.version }))
}

function missingSecrets({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  return facts.missingSecrets.length === 0
    ? undefined
    : refuse(
        reasons.secretsMissing({
          application: subject.application,
          environment: config.name,
          names: facts.missingSecrets,
        }),
      )
}

function unverified({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  if (isReturn(subject, facts)) return undefined
  const open = config.after.map((name) => ({
    name,
    verification: facts.verifications[name] ?? ({ kind: 'missing', why: 'it has not run it' } as const),
  }))
  for (const { name, verification } of open) {
    if (verification.kind === 'missing')
      return refuse(
        reasons.notVerified({
          environment: config.name,
          after: name,
          why: verification.why,
          version: subject.release?.version,
        }),
      )
  }
  for (const { name, verification } of open) {
    if (verification.kind === 'pending')
      return wait(reasons.verificationPending({ environment: config.name, after: name, why: verification.why }))
  }
  return undefined
}

/** What has run here before was proved then; going back must not wait for a report. */
function unproved({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  if (isReturn(subject, facts)) return undefined
  const saying = (wanted: GateResult['verdict']): readonly GateResult[] =>
    facts.gates?.filter(({ verdict }) => verdict === wanted) ?? []
  const red = saying('fail')
  const open = saying('wait')
  const { evidencePending: job } = facts
  // Other services are asked when nothing runs any more: the job that runs may be the one that they are asked about.
  if (red.length + open.length > 0 && job !== undefined)
    return wait(reasons.evidencePending({ environment: config.name, red: [...red, ...open], job }))
  if (red.length > 0)
    return refuse(reasons.gateFailed({ environment: config.name, red, version: subject.release?.version }))
  return open.length === 0 ? undefined : wait(reasons.gatePending({ environment: config.name, open }))
}

/** Time proves what no test does; what left the environment too early has not been proved. */
function unsoaked({ config, subject, facts, now }: EnvironmentQuestion): ReturnType<Rule> {
  if (config.soakMs === undefined || facts.soaked === undefined || isReturn(subject, facts)) return undefined
  for (const name of config.after) {
    const soaked = facts.soaked[name] ?? { ms: 0, isRunning: false }
    if (soaked.ms >= config.soakMs) continue
    const fact = { environment: config.name, after: name, soakMs: config.soakMs, ranMs: soaked.ms }
    return soaked.isRunning
      ? wait(reasons.soaking({ ...fact, opensAt: now + config.soakMs - soaked.ms }))
      : refuse(reasons.notSoaked({ ...fact, version: subject.release?.version }))
  }
  return undefined
}

/** Going back is the one thing that a freeze must never stop. */
function frozen({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  if (facts.freeze === undefined || subject.kind === 'rollback') return undefined
  return wait(reasons.frozen({ environment: config.name, ...facts.freeze }))
}

function locked({ config, facts, now }: EnvironmentQuestion): ReturnType<Rule> {
  const { lock } = facts
  if (lock === undefined || (lock.until !== undefined && lock.until <= now)) return undefined
  return wait(reasons.locked({ environment: config.name, ...lock }))
}

/** A hold stops what nobody asked for by hand; people may go on. */
function held({ config, subject, facts }: EnvironmentQuestion): ReturnType<Rule> {
  if (facts.hold === undefined || !subject.isAutomatic || subject.kind === 'rollback') return undefined
  return wait(reasons.held({ environment: config.name, ...facts.hold }))
}

function busy({ config, facts }: EnvironmentQuestion): ReturnType<Rule> {
  return facts.active === undefined ? undefined : wait(reasons.busy({ environment: config.name, ...facts.active }))
}

function unapproved(question: EnvironmentQuestion): ReturnType<Rule> {
  const { config, subject, facts, now } = question
  const rule = config.approvals
  if (rule === undefined || isReturn(subject, facts)) return undefined
  const approvals = facts.decisions.filter(({ decision }) => decision === 'approve')
  const counted = new Map<string, number>()
  const ignored: string[] = []
  for (const { actor, at } of approvals) {
    if (rule.from.length > 0 && !rule.from.includes(actor)) ignored.push(`${actor} is not among those who may approve`)
    else if (rule.notAuthor && subject.authors.includes(actor)) ignored.push(`${actor} made the change or asked for it`)
    else if (at + rule.expiresMs <= now) ignored.push(`the approval of ${actor} has expired`)
    else counted.set(actor, at + rule.expiresMs)
  }
  if (counted.size >= rule.count) return undefined
  if (facts.outdatedApprovals > 0) ignored.push('an earlier approval was for another plan')
  return wait(
    reasons.approvalNeeded({
      environment: config.name,
      subject: subject.id,
      rule,
      given: counted,
      authors: subject.authors,
      ignored,
      version: subject.release?.version,
    }),
  )
}

/** Going back to what this environment has already run with success: allowed at any time but under a lock. */
function isReturn(subject: EnvironmentSubject, facts: EnvironmentFacts): boolean {
  return subject.kind === 'rollback' && facts.hasRunBefore
}

function wait(reason: Reason): { kind: 'wait'; reason: Reason } {
  return { kind: 'wait', reason }
}

function refuse(reason: Reason): { kind: 'refuse'; reason: Reason } {
  return { kind: 'refuse', reason }
}
