import { renderDuration } from '#core/project/duration.ts'
import type { GateResult } from '#core/gate/result.ts'
import type { ApprovalRule } from '#core/project/model.ts'
import type { Reason } from '#core/reason.ts'
import { shortRef } from './ref-rule.ts'

/** A person said no. */
export function rejected(fact: {
  readonly environment: string
  readonly subject: string
  readonly actor: string
  readonly reason?: string
}): Reason {
  const why = fact.reason === undefined ? '' : `: ${fact.reason}`
  const again = fact.subject.startsWith('run_')
    ? `\`shipway rerun ${fact.subject} --failed\``
    : `a new \`shipway deploy ${fact.environment}\``
  return {
    code: 'APPROVAL_REJECTED',
    message: `${fact.actor} rejected it for ${fact.environment}${why}.`,
    hint: `Talk to ${fact.actor}; ${again} asks again.`,
  }
}

/** `from` does not admit the ref. */
export function refNotAdmitted(fact: {
  readonly environment: string
  readonly ref: string
  readonly from: readonly string[]
}): Reason {
  return {
    code: 'REF_NOT_ADMITTED',
    message: `${fact.environment} takes releases from ${fact.from.join(', ')} only, and this one is from the ${refKind(fact.ref)} ${shortRef(fact.ref)}.`,
    hint: `"environments.${fact.environment}.from" in shipway.yml of the default branch names the refs; a pattern that is no version means branches, refs/tags/… means tags.`,
  }
}

/** A pull request of another repository: whoever opened it wrote the workflow and what it deploys. */
export function forkNotAdmitted(fact: { readonly environment: string; readonly ref: string }): Reason {
  // With pull_request_target the ref is the branch that is asked to take the change.
  const what = refKind(fact.ref) === 'pull request' ? `${fact.ref} is one` : 'this run was asked for by one'
  return {
    code: 'FORK_NOT_ADMITTED',
    message: `${fact.environment} takes nothing from a pull request of another repository, and ${what}.`,
    hint: `Merge it, or bring its commits to a branch of this repository. Whoever may change shipway.yml of the default branch can name "refs/pull/**" in "environments.${fact.environment}.from".`,
  }
}

/** A ref that is none is a commit by itself: HEAD was detached. */
function refKind(ref: string): string {
  if (ref.startsWith('refs/pull/')) return 'pull request'
  if (ref.startsWith('refs/tags/')) return 'tag'
  return ref.startsWith('refs/') ? 'branch' : 'commit (of no branch or tag)'
}

export function dirtyRelease(fact: { readonly environment: string }): Reason {
  return {
    code: 'RELEASE_DIRTY',
    message: `The release holds changes that nobody committed, and ${fact.environment} has rules ("after" or "approvals").`,
    hint: 'Commit the changes and run the pipeline again.',
  }
}

export function badRelease(fact: {
  readonly environment: string
  readonly version: string
  readonly why: string
}): Reason {
  return {
    code: 'RELEASE_BAD',
    message: `${fact.version} was put back on ${fact.environment} before: ${fact.why}`,
    hint: `Deploy another release. If the cause was not the release: \`shipway resume ${fact.environment}\` takes the mark away.`,
  }
}

/** Between what runs and what is wanted lies a migration that took away what the older release needs. */
export function migrationContracted(fact: {
  readonly environment: string
  readonly version: string | undefined
  readonly contract: string
  readonly mode: 'deploy' | 'rollback'
}): Reason {
  const version = fact.version ?? 'this release'
  return {
    code: 'MIGRATION_CONTRACTED',
    message: `${fact.contract} has run a contract migration on ${fact.environment}: ${version} was made for the data as they were before, and may not work on them.`,
    hint: `Deploy a repair, or restore the data first. Where ${version} is known to work all the same: \`shipway ${fact.mode} ${fact.environment} ${version} --force --reason "why"\`.`,
  }
}

/** An automatic deployment that came too late. */
export function superseded(fact: { readonly environment: string; readonly newer: string }): Reason {
  return {
    code: 'DEPLOYMENT_SUPERSEDED',
    message: `${fact.newer} is newer and is on ${fact.environment}, or on its way there.`,
    hint: `To go back on purpose: \`shipway rollback ${fact.environment} --to <version>\`.`,
  }
}

export function secretsMissing(fact: {
  readonly application: string
  readonly environment: string
  readonly names: readonly string[]
}): Reason {
  return {
    code: 'SECRET_MISSING',
    message: `${fact.environment} needs ${fact.names.length === 1 ? 'the secret' : 'the secrets'} ${fact.names.join(', ')}, and nobody has given ${fact.names.length === 1 ? 'it' : 'them'}.`,
    hint: `Keep them in the home as secrets/${fact.application}/${fact.environment}.json (mode 0600, {"NAME": "value"}), or give them to the run: \`shipway run --secret NAME\`. \`shipway doctor\` says whether that file can be read.`,
  }
}

/** `after`: another environment has not verified the release. */
export function notVerified(fact: {
  readonly environment: string
  readonly after: string
  readonly why: string
  readonly version?: string | undefined
}): Reason {
  const release = fact.version === undefined ? '' : ` --release ${fact.version}`
  return {
    code: 'RELEASE_NOT_VERIFIED',
    message: `${fact.environment} takes only what ${fact.after} has verified, and ${fact.after} has not: ${fact.why}.`,
    hint: `Deploy it there first: \`shipway deploy ${fact.after}${release}\`. What ran there of the same commit with the same content counts, too.`,
  }
}

export function verificationPending(fact: {
  readonly environment: string
  readonly after: string
  readonly why: string
}): Reason {
  return {
    code: 'VERIFICATION_PENDING',
    message: `${fact.environment} waits until ${fact.after} has verified the release: ${fact.why}.`,
    hint: `It goes on by itself; see \`shipway status\`.`,
  }
}

export function locked(fact: {
  readonly environment: string
  readonly by: string
  readonly reason?: string
  readonly until?: number
}): Reason {
  const until = fact.until === undefined ? '' : ` until ${timeText(fact.until)}`
  const why = fact.reason === undefined ? '' : `: ${fact.reason}`
  return {
    code: 'ENVIRONMENT_LOCKED',
    message: `${fact.environment} is locked by ${fact.by}${until}${why}.`,
    hint: `${fact.by}, or anybody who may write to the agent, lifts it with \`shipway unlock ${fact.environment}\`.`,
  }
}

export function held(fact: { readonly environment: string; readonly by: string; readonly reason: string }): Reason {
  return {
    code: 'ENVIRONMENT_HELD',
    message: `Automatic deployments to ${fact.environment} are held: ${fact.reason}`,
    hint: `When the cause is repaired: \`shipway resume ${fact.environment}\`. A deployment by hand goes on now: \`shipway deploy ${fact.environment}\`.`,
  }
}

/** It runs where it must prove itself, and not yet for long enough. */
export function soaking(fact: {
  readonly environment: string
  readonly after: string
  readonly soakMs: number
  readonly ranMs: number
  readonly opensAt: number
}): Reason {
  const ran = renderDuration(Math.floor(fact.ranMs / 1000) * 1000)
  return {
    code: 'RELEASE_SOAKING',
    message: `${fact.environment} takes what ${fact.after} has run for ${renderDuration(fact.soakMs)}; it has run it for ${ran}, and the time is over at ${timeText(fact.opensAt)}.`,
    hint: `It goes on by itself then, while an agent runs: \`shipway agent\`. "environments.${fact.environment}.soak" in shipway.yml is the rule.`,
  }
}

export function notSoaked(fact: {
  readonly environment: string
  readonly after: string
  readonly soakMs: number
  readonly ranMs: number
  readonly version: string | undefined
}): Reason {
  const ran =
    fact.ranMs === 0 ? 'has not run it' : `ran it for ${renderDuration(Math.floor(fact.ranMs / 1000) * 1000)} only`
  return {
    code: 'RELEASE_NOT_SOAKED',
    message: `${fact.environment} takes what ${fact.after} has run for ${renderDuration(fact.soakMs)}, and ${fact.after} ${ran}.`,
    hint: `Put it there again: \`shipway deploy ${fact.after} ${fact.version ?? 'latest'}\`.`,
  }
}

export function frozen(fact: {
  readonly environment: string
  readonly until: number
  readonly reason: string
}): Reason {
  return {
    code: 'ENVIRONMENT_FROZEN',
    message: `${fact.environment} is frozen until ${timeText(fact.until)}: ${fact.reason}.`,
    hint: `It goes on by itself then, while an agent runs. Whoever may change "environments.${fact.environment}.freeze" in shipway.yml of the default branch can open it; a rollback is always allowed.`,
  }
}

/** Evidence that is missing, unreadable, or against it. */
export function gateFailed(fact: {
  readonly environment: string
  readonly red: readonly GateResult[]
  readonly version: string | undefined
}): Reason {
  const said = fact.red
    .map(({ gate, text, code }) => `${gate}: ${text}${code === undefined ? '' : ` [${code}]`}`)
    .join(' ')
  const cures = [...new Set(fact.red.flatMap(({ hint }) => hint ?? []))]
  const hints = cures.length > 0 ? cures : ['Repair it and run again; `shipway release show VERSION` has the evidence.']
  const rule = `Whoever may change "environments.${fact.environment}.gates" in shipway.yml of the default branch can change the rule.`
  return {
    // A service that could not be asked is another case than one that said no: trying again may help.
    code: fact.red.every(({ code }) => code !== undefined) ? 'GATE_UNANSWERED' : 'GATE_FAILED',
    message: `The gates of ${fact.environment} do not let ${fact.version ?? 'the release'} pass. ${said}`,
    hint: [...hints, rule].join(' '),
  }
}

/** What runs beside the job may still prove what is missing. */
export function evidencePending(fact: {
  readonly environment: string
  readonly red: readonly GateResult[]
  readonly job: string
}): Reason {
  return {
    code: 'EVIDENCE_PENDING',
    message: `The gates of ${fact.environment} wait for the job "${fact.job}", which may bring what is missing. ${fact.red.map(({ gate, text }) => `${gate}: ${text}`).join(' ')}`,
    hint: 'It goes on by itself. Let the job `needs` those that write the reports, so that it is asked when they are there.',
  }
}

/** Another service has not said yet what a gate asks it. */
export function gatePending(fact: { readonly environment: string; readonly open: readonly GateResult[] }): Reason {
  return {
    code: 'GATE_PENDING',
    message: `The gates of ${fact.environment} wait for an answer. ${fact.open.map(({ gate, text }) => `${gate}: ${text}`).join(' ')}`,
    hint: `It goes on by itself, while an agent runs; "environments.${fact.environment}.gates" in shipway.yml of the default branch is the rule.`,
  }
}

/** One deployment at a time. */
export function busy(fact: {
  readonly environment: string
  readonly id: string
  readonly version: string
  readonly phase: string
}): Reason {
  return {
    code: 'ENVIRONMENT_BUSY',
    message: `${fact.environment} is busy: the deployment ${fact.id} of ${fact.version} is in ${fact.phase}.`,
    hint: `It goes on by itself. To stop the other one: \`shipway cancel ${fact.id}\`.`,
  }
}

export function approvalNeeded(fact: {
  readonly environment: string
  readonly subject: string
  readonly rule: ApprovalRule
  /** Whose approval counts, and until when. Milliseconds since 1970. */
  readonly given: ReadonlyMap<string, number>
  readonly authors: readonly string[]
  readonly ignored: readonly string[]
  readonly version?: string | undefined
}): Reason {
  const { rule, given } = fact
  const missing = rule.count - given.size
  const people = `${missing} ${given.size === 0 ? '' : 'more '}approval${missing === 1 ? '' : 's'}`
  // Whoever has approved is not asked again, and whoever may not is never asked.
  const asked = rule.from.filter((name) => !given.has(name) && !(rule.notAuthor && fact.authors.includes(name)))
  const whose = rule.from.length === 0 ? '' : ` of ${(asked.length === 0 ? rule.from : asked).join(' or ')}`
  const notAuthor = rule.notAuthor ? ', not of the author' : ''
  const kept = [...given].map(([actor, until]) => `that of ${actor} is good until ${timeText(until)}`)
  const remarks = [...new Set([...kept, ...fact.ignored])].join('; ')
  const ignored = remarks === '' ? '' : ` (${remarks})`
  const what = fact.version === undefined ? '' : ` for ${fact.version}`
  return {
    code: 'APPROVAL_NEEDED',
    message: `${fact.environment} needs ${people}${whose}${notAuthor}${what}${ignored}.`,
    hint: `\`shipway approve ${fact.subject}\` or \`shipway reject ${fact.subject}\`; an approval is good for ${renderDuration(rule.expiresMs)}.`,
    ...(asked.length === 0 ? {} : { who: asked }),
  }
}

/** `2025-08-10 12:34 UTC`. */
export function timeText(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
