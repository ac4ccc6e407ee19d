import type { KnownError } from '#core/errors.ts'
import * as knownHost from '#core/known/host.ts'
import type { HostAddress } from '#core/known/host.ts'
import * as known from '#core/known/target.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { ShellResult } from '#ports/host-shell.ts'
import type { Answer, TargetCall } from '#ports/release-folders.ts'

/** Lines of output that an error carries. */
const detailLinesMax = 40
/** Characters of such a line. */
const detailLengthMax = 1000
/** Lines that restart commands have printed: the scripts send 100 of each. What a target sends beyond that would become events. */
export const logLinesMax = 200
/** How a service script ends that waits no longer, because the deployment is stopped. */
const stoppedStatus = '79'
/** Characters of one answer: the longest holds the path of a kept file. */
const restLengthMax = 4096

/** What a script said, line by line: `shipway:<word> <rest>`. Anything else comes from start-up files and is ignored. */
export function parseAnswers(stdout: string): readonly Answer[] {
  return stdout.split('\n').flatMap((line) => parseAnswer(line) ?? [])
}

/** One line of that. */
export function parseAnswer(line: string): Answer | undefined {
  const [, word, rest = ''] = /^shipway:([^ ]*)(?: (.*))?$/s.exec(line) ?? []
  return word === undefined ? undefined : { word, rest: rest.slice(0, restLengthMax) }
}

/** The last lines of the log only, and all other answers. There is a limit to everything: a target is not always ours alone. */
export function limitLog(answers: readonly Answer[]): readonly Answer[] {
  let surplus = answers.filter(isLog).length - logLinesMax
  return answers.filter((answer) => !isLog(answer) || surplus-- <= 0)
}

function isLog({ word }: Answer): boolean {
  return word === 'log'
}

/** The rest of the first line with this word. */
export function answerOf(answers: readonly Answer[], word: string): string | undefined {
  return answers.find((answer) => answer.word === word)?.rest
}

/** What an error needs to know about the call that failed. */
export interface ScriptScene {
  readonly target: HostTarget
  readonly release?: string
  readonly deployment?: string
  readonly wanted?: string
  readonly expected?: string
  /** The words of another driver's script. */
  readonly failure?: TargetCall['failure']
}

/** How a host is named in errors. */
export function addressOf(target: HostTarget): HostAddress {
  if (target.kind === 'local') return { host: 'localhost' }
  return {
    host: target.host,
    ...(target.port === undefined ? {} : { port: target.port }),
    ...(target.user === undefined ? {} : { user: target.user }),
  }
}

/** The known error behind a script that did not end with 0: what it said itself, else what the host's tools said. */
export function scriptFailure(scene: ScriptScene, answers: readonly Answer[], result: ShellResult): KnownError {
  const said = answerOf(answers, 'error')
  if (said === undefined) return toolFailure(scene, result)
  const [word = '', ...rest] = said.split(' ')
  return scene.failure?.(word, rest.join(' '), answers) ?? saidFailure(scene, answers, [word, ...rest])
}

function saidFailure(
  scene: ScriptScene,
  answers: readonly Answer[],
  [word = '', ...rest]: readonly string[],
): KnownError {
  const fact = { target: scene.target.name, path: scene.target.path }
  const release = scene.release ?? ''
  const lines = (name: string): readonly string[] => answers.filter(({ word }) => word === name).map(({ rest }) => rest)
  switch (word) {
    case 'busy':
      return known.targetBusy(fact)
    case 'full':
      return known.targetDiskFull({ ...fact, evidence: `${rest.join(' ')} KiB are free` })
    case 'locked': {
      const [deployment = '-', since = '0', until = '0', ...who] = rest
      return known.targetLocked({ ...fact, deployment, who: who.join(' '), since: +since * 1000, until: +until * 1000 })
    }
    case 'owned':
      return known.targetOwned({ ...fact, owner: rest.join(' '), wanted: scene.wanted ?? '' })
    case 'occupied':
      return known.targetOccupied({ ...fact, found: rest.join(' ') })
    case 'drifted':
      return known.deploymentDrifted({ ...fact, expected: scene.expected ?? '', found: rest.join(' ') })
    case 'unprepared':
      return known.releaseNotPrepared({ ...fact, release })
    case 'reverted':
      return known.releaseReverted({ ...fact, release, reason: rest.join(' ') })
    case 'unknown':
      return known.deploymentNotSwitched({ ...fact, deployment: scene.deployment ?? '' })
    case 'timer':
      return known.revertTimerFailed(fact)
    case 'tool':
      return knownHost.hostToolMissing({ ...addressOf(scene.target), tool: rest.join(' ') })
    case 'corrupt':
      return known.targetFilesCorrupt({ ...fact, release, files: lines('corrupt') })
    case 'restart':
      return known.restartFailed({
        ...fact,
        release,
        outcome: hookOutcome(rest[0] ?? ''),
        back: backOutcome(answerOf(answers, 'back')),
        output: lines('log').slice(-detailLinesMax),
      })
    case 'up': {
      if (rest[0] === stoppedStatus)
        return known.switchStopped({ target: fact.target, back: backOutcome(answerOf(answers, 'back')) })
      // What the release before says while it is started again comes after this word.
      const end = answers.findIndex((answer) => answer.word === 'returning')
      const output = answers.slice(0, end === -1 ? answers.length : end).filter(isLog)
      return known.servicesNotUp({
        ...fact,
        release,
        outcome: hookOutcome(rest[0] ?? ''),
        back: backOutcome(answerOf(answers, 'back')),
        output: output.map((answer) => answer.rest).slice(-detailLinesMax),
      })
    }
    case 'unreadable':
      return known.targetNotWritable({ ...fact, evidence: 'its folder .shipway cannot be read' })
    default:
      throw new Error(`Invariant broken: a script said the unknown error "${word}"`)
  }
}

/** `timeout` ends with 124, or 137 when the command had to be killed. */
function hookOutcome(status: string): string {
  return status === '124' || status === '137' ? 'did not end in time' : `ended with status ${status}`
}

/** `back <status> <short>`: what became of the release before. */
function backOutcome(back: string | undefined): string {
  const [status = '0', previous = '-'] = (back ?? '').split(' ')
  if (back === undefined || previous === '-') return 'nothing runs there now'
  if (status === '0') return `the release ${previous.slice(0, 12)} is back`
  return `the release ${previous.slice(0, 12)} is back, but its own start ended with status ${status}`
}

/** The texts of the C library under LC_ALL=C, which all tools print. The only place that reads them. */
function toolFailure(scene: ScriptScene, result: ShellResult): KnownError {
  const lines = result.stderr
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line) => line.slice(0, detailLengthMax))
  const find = (pattern: RegExp): string | undefined => lines.find((line) => pattern.test(line))?.trim()
  const fact = { target: scene.target.name, path: scene.target.path }
  const full = find(/No space left on device|Disk quota exceeded/)
  if (full !== undefined) return known.targetDiskFull({ ...fact, evidence: full })
  const denied = find(/Permission denied|Read-only file system|Operation not permitted|Not a directory|File exists/)
  if (denied !== undefined) return known.targetNotWritable({ ...fact, evidence: denied })
  const missing = /(\S+): (?:command )?not found/.exec(lines.join('\n'))?.[1]
  if (missing !== undefined) return knownHost.hostToolMissing({ ...addressOf(scene.target), tool: missing })
  return knownHost.hostScriptFailed({
    ...addressOf(scene.target),
    exitCode: result.exitCode,
    details: lines.slice(-detailLinesMax),
  })
}
