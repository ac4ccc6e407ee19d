import { KnownError } from '../errors.ts'

/** Where on a target something happened. `target` is the target's name in `shipway.yml`. */
interface TargetFact {
  readonly target: string
  readonly path: string
}

/** The account may not write below the target's folder. */
export function targetNotWritable(fact: TargetFact & { evidence: string }): KnownError {
  return new KnownError({
    code: 'TARGET_NOT_WRITABLE',
    kind: 'usage',
    message: `The target ${fact.target} cannot be written at ${fact.path}: ${fact.evidence}.`,
    hint: `On the host: \`mkdir -p ${fact.path}\` and \`chown\` it to the account that deploys; then deploy again.`,
  })
}

/** No space or no inodes are left; what runs was not touched. */
export function targetDiskFull(fact: TargetFact & { evidence: string }): KnownError {
  return new KnownError({
    code: 'TARGET_DISK_FULL',
    kind: 'red',
    retry: 'backoff',
    message: `The disk of the target ${fact.target} is full at ${fact.path}: ${fact.evidence}.`,
    hint: `Free space on the host (\`df -h ${fact.path}\`; a smaller \`retain\` keeps fewer releases), then deploy again. What ran before still runs.`,
  })
}

/** Another deployment is at work on the target. */
export function targetLocked(
  fact: TargetFact & { deployment: string; who: string; since: number; until: number },
): KnownError {
  return new KnownError({
    code: 'TARGET_LOCKED',
    kind: 'waiting',
    retry: 'backoff',
    message: `The target ${fact.target} is locked by the deployment ${fact.deployment} of ${fact.who} since ${isoTime(fact.since)}.`,
    hint: `Wait for it to end; if it died, the lock ends by itself at ${isoTime(fact.until)}.`,
  })
}

/** A command of another deployer holds the target's short lock for longer than we wait. */
export function targetBusy(fact: TargetFact): KnownError {
  return new KnownError({
    code: 'TARGET_BUSY',
    kind: 'waiting',
    retry: 'backoff',
    message: `Another command is at work on the target ${fact.target} and did not end in time.`,
    hint: `Try again; on the host, \`fuser ${fact.path}/.shipway/mutex\` shows the process.`,
  })
}

/** The folder belongs to another application or environment. */
export function targetOwned(fact: TargetFact & { owner: string; wanted: string }): KnownError {
  return new KnownError({
    code: 'TARGET_OWNED',
    kind: 'refused',
    message: `The folder ${fact.path} on the target ${fact.target} belongs to ${fact.owner}, not to ${fact.wanted}.`,
    hint: `Give every application and environment a folder of its own, or remove ${fact.path}/.shipway/owner on the host if it moved.`,
  })
}

/** `current` is something that Shipway did not make: it is never overwritten. */
export function targetOccupied(fact: TargetFact & { found: string }): KnownError {
  return new KnownError({
    code: 'TARGET_OCCUPIED',
    kind: 'refused',
    message: `${fact.path}/current on the target ${fact.target} was not made by Shipway (${fact.found}).`,
    hint: `Move it away on the host: \`mv ${fact.path}/current ${fact.path}/current.before\`, then deploy again.`,
  })
}

/** A path that cannot be a target's folder. */
export function targetPathInvalid(fact: TargetFact & { problem: string }): KnownError {
  return new KnownError({
    code: 'TARGET_PATH_INVALID',
    kind: 'usage',
    message: `The path ${JSON.stringify(fact.path)} of the target ${fact.target} ${fact.problem}.`,
    hint: 'Write an absolute path, for example /srv/hello or ssh://deploy@host/srv/hello.',
  })
}

/** Files arrived with another content than the release says. */
export function targetFilesCorrupt(fact: TargetFact & { release: string; files: readonly string[] }): KnownError {
  return new KnownError({
    code: 'TARGET_FILES_CORRUPT',
    kind: 'red',
    retry: 'backoff',
    message: `Files of the release ${short(fact.release)} have a wrong digest on the target ${fact.target}: ${fact.files[0] ?? 'unknown'}${fact.files.length > 1 ? ` and ${fact.files.length - 1} more` : ''}.`,
    hint: 'Nothing was switched. Check the disks of both machines (`dmesg`), then deploy again.',
    details: fact.files,
  })
}

/** A name in `variables` or `secrets` that no shell can hold. */
export function variableNameInvalid(fact: { name: string }): KnownError {
  return new KnownError({
    code: 'VARIABLE_NAME_INVALID',
    kind: 'usage',
    message: `The variable name ${JSON.stringify(fact.name)} is not valid.`,
    hint: 'Use letters, digits and _, not beginning with a digit.',
  })
}

/** The target runs another release than the plan saw. */
export function deploymentDrifted(fact: TargetFact & { expected: string; found: string }): KnownError {
  return new KnownError({
    code: 'DEPLOYMENT_DRIFTED',
    kind: 'refused',
    message: `The target ${fact.target} runs ${shortOrNone(fact.found)}, but the plan was made when it ran ${shortOrNone(fact.expected)}.`,
    hint: 'Somebody deployed in between. Look at `shipway status`, then deploy again: a new plan is made.',
  })
}

/** `switch` came before `prepare`, or the release was removed since. */
export function releaseNotPrepared(fact: TargetFact & { release: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_NOT_PREPARED',
    kind: 'red',
    retry: 'backoff',
    message: `The release ${short(fact.release)} is not complete on the target ${fact.target}.`,
    hint: 'Deploy again: its files are sent first.',
  })
}

/** A confirmation came too late: the target has put the previous release back. */
export function releaseReverted(fact: TargetFact & { release: string; reason: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_REVERTED',
    kind: 'red',
    message: `The target ${fact.target} has already taken back the release ${short(fact.release)}: ${fact.reason}.`,
    hint: 'Deploy again; if checking takes longer, raise `confirmWithin` in shipway.yml.',
  })
}

/** `confirm` without a switch of this deployment. */
export function deploymentNotSwitched(fact: TargetFact & { deployment: string }): KnownError {
  return new KnownError({
    code: 'DEPLOYMENT_NOT_SWITCHED',
    kind: 'red',
    message: `The target ${fact.target} knows no switch of the deployment ${fact.deployment}.`,
    hint: 'Look at `shipway status`, then deploy again.',
  })
}

/** The user's restart command failed after a switch; the previous release is back. */
export function restartFailed(
  fact: TargetFact & { release: string; outcome: string; back: string; output: readonly string[] },
): KnownError {
  return new KnownError({
    code: 'RESTART_FAILED',
    kind: 'red',
    message: `The restart command of the release ${short(fact.release)} ${fact.outcome} on the target ${fact.target}; ${fact.back}.`,
    hint: 'The end of its output is in the details; the command is `restart` in shipway.yml.',
    details: fact.output,
  })
}

/** Services of a release did not start, or not all of them became healthy; the previous release is back. */
export function servicesNotUp(
  fact: TargetFact & { release: string; outcome: string; back: string; output: readonly string[] },
): KnownError {
  return new KnownError({
    code: 'SERVICES_NOT_UP',
    kind: 'red',
    message: `The services of the release ${short(fact.release)} did not all come up on the target ${fact.target}: ${unwellServices(fact.output) ?? `starting them ${fact.outcome}`}; ${fact.back}.`,
    hint: 'The details name each service that is not healthy, with the end of its output.',
    details: fact.output,
  })
}

/** A switch was given up before it had ended, because the deployment was stopped. */
export function switchStopped(fact: { readonly target: string; readonly back: string }): KnownError {
  return new KnownError({
    code: 'SWITCH_STOPPED',
    kind: 'red',
    message: `The switch of the target ${fact.target} was given up because the deployment was stopped; ${fact.back}.`,
    hint: 'See `shipway why <deployment>`.',
  })
}

/** The lines of the driver's own script: `service web is not well after its start: running, not healthy`. */
function unwellServices(output: readonly string[]): string | undefined {
  const found = output.flatMap((line) => {
    const [, service, state] = /^service (\S+) is not well after its start: (.*)$/.exec(line) ?? []
    return service === undefined ? [] : [`${service}: ${state ?? ''}`]
  })
  return found.length === 0 ? undefined : found.join('; ')
}

/** The host could not start the timer that takes an unconfirmed switch back, so nothing was switched. */
export function revertTimerFailed(fact: TargetFact): KnownError {
  return new KnownError({
    code: 'REVERT_TIMER_FAILED',
    kind: 'red',
    retry: 'backoff',
    message: `The target ${fact.target} could not start the process that takes an unconfirmed switch back; nothing was switched.`,
    hint: 'Check the limits of the account on the host (`ulimit -u`) and its memory; then deploy again.',
  })
}

function short(id: string): string {
  return id.slice(0, 12)
}

function shortOrNone(id: string): string {
  return id === '' ? 'no release' : `the release ${short(id)}`
}

function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
