import { hostname, userInfo } from 'node:os'
import { KnownError } from '#core/errors.ts'
import { driverPowers } from '#core/deployment/driver-power.ts'
import * as known from '#core/known/target.ts'
import type { HostTarget } from '#core/project/model.ts'
import { renderSize } from '#core/view/size.ts'
import type { Clock } from '#ports/clock.ts'
import type { Release } from '#core/release/model.ts'
import type { FileDifference, InspectOrder, Progress, TargetProof, TargetState } from '#ports/deploy-driver.ts'
import type { HostShell } from '#ports/host-shell.ts'
import type { Answer, FolderOrder, ReleaseFolders, TargetCall } from '#ports/release-folders.ts'
import { answerOf } from './answer.ts'
import type { ScriptScene } from './answer.ts'
import { coloursLeft, withColours } from './colour.ts'
import { renderDotenv } from '#core/deployment/dotenv.ts'
import { confirmScript, revertScript } from './script/conclude.ts'
import { backMsOf, scriptMs, serviceBackMs, shellCallOf } from './call.ts'
import { directoryFindings } from './examine.ts'
import { runScript } from './run-script.ts'
import { compareScript } from './script/compare.ts'
import { examineScript } from './script/examine.ts'
import { inspectScript } from './script/inspect.ts'
import { planScript, receiveScript } from './script/prepare.ts'
import { switchScript } from './script/switch.ts'
import { watchScript } from './script/watch.ts'
import { stoppable } from './stoppable.ts'
import { tarStream } from './tar-stream.ts'
import type { TarEntry } from './tar-stream.ts'
import { checkReleaseFiles, planUpload, renderWanted, shortOf } from './upload.ts'
import type { KeptFile, UploadPlan } from './upload.ts'

export interface DirectoryDriverDependencies {
  readonly openShell: (target: HostTarget) => HostShell
  readonly clock: Clock
}

/** The slowest line for which an upload is still given time, in bytes per millisecond. */
const slowestBytesPerMs = 100
/** A lock that nobody renews ends after this time. */
const leaseMs = 10 * 60_000

/** A driver that keeps one connection per target until it is closed. */
export type DirectoryDriver = ReleaseFolders & AsyncDisposable

/**
 * Releases as folders and `current` as a symbolic link, on this machine or over ssh: the same scripts for both. The
 * target's records and the decisions between a confirmation and its own timer are described in `script/library.ts`.
 */
export function directoryDriver(dependencies: DirectoryDriverDependencies): DirectoryDriver {
  const shells = new Map<string, HostShell>()
  const shellOf = (target: HostTarget): HostShell => {
    const key = JSON.stringify(target)
    const shell = shells.get(key) ?? dependencies.openShell(target)
    shells.set(key, shell)
    return shell
  }
  return withColours({
    name: 'directory',
    powers: driverPowers.directory,
    inspect: (order, signal) => inspect(shellOf(order.target), order.target, signal),
    compareFiles: (order, signal) => compareFiles(shellOf(order.target), order, signal),
    examine: async ({ target }, signal) => {
      checkPath(target)
      const call = { script: examineScript, args: [target.path], deadlineMs: scriptMs }
      return directoryFindings(target, await runScript(shellOf(target), call, { target }, signal))
    },
    ask: (target, call, signal) => {
      checkPath(target)
      return runScript(shellOf(target), shellCallOf(dependencies.clock, target, call), { target }, signal)
    },
    prepare: (order, progress, signal) => prepare(shellOf(order.target), dependencies.clock, order, progress, signal),
    switch: (order, progress, signal, stop) => {
      const way = { shell: shellOf(order.target), clock: dependencies.clock, signal }
      return stoppable(switchTo(way.shell, way.clock, order, progress, signal), order, way, stop)
    },
    confirm: (order, progress, signal) => confirm(shellOf(order.target), order, progress, signal),
    revert: (order, reason, progress, signal) => revert(shellOf(order.target), order, reason, progress, signal),
    call: (order, call, progress, signal) =>
      callTarget(shellOf(order.target), dependencies.clock, { order, call }, progress, signal),
    [Symbol.asyncDispose]: async () => {
      const open = [...shells.values()]
      shells.clear()
      await Promise.all(open.map((shell) => shell[Symbol.asyncDispose]()))
    },
  })
}

async function inspect(shell: HostShell, target: HostTarget, signal: AbortSignal): Promise<TargetState> {
  try {
    checkPath(target)
    const call = { script: inspectScript, args: [target.path], deadlineMs: scriptMs + serviceBackMs }
    return renderState(await runScript(shell, call, { target }, signal))
  } catch (error) {
    if (error instanceof KnownError) return unknownState(error)
    throw error
  }
}

async function compareFiles(
  shell: HostShell,
  { target, release }: InspectOrder & { readonly release: Release },
  signal: AbortSignal,
): Promise<readonly FileDifference[]> {
  checkPath(target)
  const { files } = release.manifest
  const bytes = files.reduce((total, file) => total + file.size, 0)
  const wanted = files.map(({ digest, path }) => `${digest}  ./${path}\n`).join('')
  const deadlineMs = scriptMs + bytes / slowestBytesPerMs
  const call = { script: compareScript, args: [target.path], input: chunks(wanted), deadlineMs }
  const answers = await runScript(shell, call, { target }, signal)
  return answers
    .filter(({ word }) => word === 'differs')
    .map(({ rest }): FileDifference => {
      const [kind = '', ...path] = rest.split(' ')
      return { kind: kind === 'added' || kind === 'removed' ? kind : 'changed', path: path.join(' ') }
    })
}

function unknownState(error: KnownError): TargetState {
  return {
    kind: 'unknown',
    why: error.message,
    ...(error.kind === 'unreachable' ? {} : { code: error.code }),
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  }
}

function renderState(answers: readonly Answer[]): TargetState {
  const foreign = answerOf(answers, 'foreign')
  if (foreign !== undefined)
    return {
      kind: 'unknown',
      why: `"current" was not made by Shipway (${foreign}).`,
      code: 'TARGET_OCCUPIED',
      hint: 'Move it away in the folder of the target: `mv current current.before`, then deploy again.',
    }
  const [current, ...version] = answerOf(answers, 'current')?.split(' ') ?? []
  const previous = answerOf(answers, 'previous')
  const serving = answerOf(answers, 'serving')
  const [deployment, release, revertsAt] = answerOf(answers, 'pending')?.split(' ') ?? []
  return {
    kind: 'known',
    ...(current === undefined ? {} : { current, version: version.join(' ') }),
    ...(previous === undefined ? {} : { previous }),
    ...(deployment === undefined || release === undefined
      ? {}
      : { pending: { deployment, release, revertsAt: Number(revertsAt) * 1000 } }),
    ...(serving === undefined ? {} : { serving }),
    releases: answers.filter(({ word }) => word === 'release').map(({ rest }) => rest),
  }
}

async function prepare(
  shell: HostShell,
  clock: Clock,
  order: FolderOrder,
  progress: Progress,
  signal: AbortSignal,
): Promise<{ sentBytes: number; sentFiles: number }> {
  checkOrder(order)
  const first = await planWith(shell, order, signal)
  if (first === 'complete') {
    progress(`release ${order.release.manifest.version} is already there`)
    return { sentBytes: 0, sentFiles: 0 }
  }
  if (first.isDamaged) progress('files of the release were changed there; they are put back as they were sealed')
  const upload = planUpload(order.release, first.kept, { ...order, incoming: first.incoming })
  try {
    await send(shell, clock, { order, incoming: first.incoming, upload }, progress, signal)
    return { sentBytes: upload.sentBytes, sentFiles: upload.sentFiles }
  } catch (error) {
    const linked = first.kept.size > 0
    if (!linked || !(error instanceof KnownError) || !damagedCodes.has(error.code)) throw error
    progress(`a kept release is damaged; sending every file`)
  }
  const second = await planWith(shell, order, signal)
  if (second === 'complete') return { sentBytes: 0, sentFiles: 0 }
  const whole = planUpload(order.release, new Map(), { ...order, incoming: second.incoming })
  await send(shell, clock, { order, incoming: second.incoming, upload: whole }, progress, signal)
  return { sentBytes: whole.sentBytes, sentFiles: whole.sentFiles }
}

/** Somebody changed or removed a file of a kept release on the host: links to it are wrong or impossible. */
const damagedCodes = new Set(['TARGET_FILES_CORRUPT', 'HOST_SCRIPT_FAILED'])

interface Place {
  readonly incoming: string
  readonly kept: ReadonlyMap<string, KeptFile>
  /** The release is there, and not as it was sealed. */
  readonly isDamaged: boolean
}

async function planWith(shell: HostShell, order: FolderOrder, signal: AbortSignal): Promise<'complete' | Place> {
  const { target, release } = order
  const bytes = release.manifest.files.reduce((total, file) => total + file.size, 0)
  const leaseSeconds = Math.ceil((leaseMs + bytes / slowestBytesPerMs) / 1000)
  const short = shortOf(release.id)
  const ended = (order.ended ?? []).join(' ')
  const args = [target.path, order.deploymentId, ownerOf(order), short, String(leaseSeconds), deployer(), ended]
  const input = chunks(renderWanted(release.manifest.files))
  const call = { script: planScript, args, input, deadlineMs: scriptMs + backMsOf(order) }
  const answers = await runScript(shell, call, sceneOf(order), signal)
  if (order.blueGreen === undefined && answerOf(answers, 'colours') !== undefined) throw coloursLeft(target)
  const incoming = answerOf(answers, 'incoming')
  if (incoming === undefined) return 'complete'
  const isDamaged = answerOf(answers, 'damaged') !== undefined
  const kept = answers
    .filter(({ word }) => word === 'have')
    .map(({ rest }) => parseKept(rest))
    .filter(([, file]) => !isDamaged || file.release !== shortOf(release.id))
  return { incoming, kept: new Map(kept), isDamaged }
}

/** `<mode> <digest> <short> <path>` */
function parseKept(rest: string): readonly [string, KeptFile] {
  const [mode = '', digest = '', release = '', ...path] = rest.split(' ')
  return [`${mode} ${digest}`, { release, path: path.join(' ') }]
}

async function send(
  shell: HostShell,
  clock: Clock,
  job: { order: FolderOrder; incoming: string; upload: UploadPlan },
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { release, target, deploymentId } = job.order
  const { version, source, files } = release.manifest
  progress(`uploading ${job.upload.sentFiles} of ${files.length} files (${renderSize(job.upload.sentBytes)})`)
  const about = [release.id, source.sha, version.replaceAll(/\s/g, ' ')]
  const call = {
    script: receiveScript,
    args: [target.path, deploymentId, shortOf(release.id), job.incoming, ...about],
    input: tarStream(job.upload.entries, Math.floor(clock.now() / 1000)),
    deadlineMs: scriptMs + job.upload.sentBytes / slowestBytesPerMs,
  }
  await runScript(shell, call, sceneOf(job.order), signal)
}

async function switchTo(
  shell: HostShell,
  clock: Clock,
  order: FolderOrder,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  checkOrder(order)
  const { target, release, deploymentId, expected, isFresh } = order
  const seconds = Math.max(1, Math.ceil(order.confirmWithinMs / 1000))
  const wanted = expected === undefined ? (isFresh === true ? '-' : '*') : shortOf(expected)
  const call = {
    script: switchScript,
    args: [target.path, deploymentId, ownerOf(order), shortOf(release.id), String(seconds), deployer(), wanted],
    input: tarStream(settingsOf(order), Math.floor(clock.now() / 1000)),
    deadlineMs: scriptMs + seconds * 1000 + backMsOf(order),
  }
  progress(`switching to ${release.manifest.version}; it goes back by itself after ${seconds} s`)
  await runScript(shell, call, sceneOf(order), signal, progress)
}

/** What a switch brings along. Secrets travel on standard input into a file that only the account can read. */
function settingsOf(order: FolderOrder): readonly TarEntry[] {
  const entries: TarEntry[] = [{ kind: 'text', path: 'watch.sh', mode: 0o600, text: watchScript }]
  const add = (path: string, mode: number, text: string): void => {
    if (text !== '') entries.push({ kind: 'text', path, mode, text })
  }
  add('restart', 0o600, order.restart ?? '')
  if (order.service !== undefined)
    for (const [name, text] of Object.entries(order.service)) add(`service.${name}`, 0o600, text)
  add('.env', 0o644, renderDotenv(order.variables))
  add('.secrets.env', 0o600, renderDotenv(order.secrets))
  return entries
}

async function confirm(
  shell: HostShell,
  order: FolderOrder,
  progress: Progress,
  signal: AbortSignal,
): Promise<TargetProof> {
  checkOrder(order)
  const args = [order.target.path, order.deploymentId, String(Math.max(2, order.retain))]
  const call = { script: confirmScript, args, deadlineMs: scriptMs + backMsOf(order) }
  const answers = await runScript(shell, call, sceneOf(order), signal)
  progress(`confirmed ${order.release.manifest.version}`)
  const removed = answers.filter(({ word }) => word === 'removed')
  if (removed.length > 0) progress(`removed ${removed.length} old releases`)
  return {}
}

async function revert(
  shell: HostShell,
  order: FolderOrder,
  reason: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  checkOrder(order)
  const args = [order.target.path, order.deploymentId, reason.replaceAll(/\s+/g, ' ').slice(0, 500)]
  const call = { script: revertScript, args, deadlineMs: scriptMs + 2 * backMsOf(order) }
  const answers = await runScript(shell, call, sceneOf(order), signal, progress)
  if (answerOf(answers, 'back') !== undefined) progress(`the release before is back`)
}

async function callTarget(
  shell: HostShell,
  clock: Clock,
  { order, call }: { order: FolderOrder; call: TargetCall },
  progress: Progress,
  signal: AbortSignal,
): Promise<readonly Answer[]> {
  checkOrder(order)
  const { failure } = call
  const scene = { ...sceneOf(order), ...(failure === undefined ? {} : { failure }) }
  return runScript(shell, shellCallOf(clock, order.target, call), scene, signal, progress)
}

function sceneOf(order: FolderOrder): ScriptScene & { order: FolderOrder } {
  return {
    order,
    target: order.target,
    release: order.release.id,
    deployment: order.deploymentId,
    wanted: ownerOf(order),
    ...(order.expected === undefined ? {} : { expected: order.expected }),
    ...(order.failure === undefined ? {} : { failure: order.failure }),
  }
}

function checkOrder(order: FolderOrder): void {
  checkPath(order.target)
  checkReleaseFiles(order.release)
  if (!/^[A-Za-z0-9_-]+$/.test(order.deploymentId)) throw new Error('Invariant broken: a deployment id is a file name')
  if (!/^[0-9a-f]{64}$/.test(order.release.id)) throw new Error('Invariant broken: a release id is a SHA-256')
}

function checkPath(target: HostTarget): void {
  const fact = { target: target.name, path: target.path }
  if (!target.path.startsWith('/')) throw known.targetPathInvalid({ ...fact, problem: 'is not absolute' })
  if (/^\/+$/.test(target.path)) throw known.targetPathInvalid({ ...fact, problem: 'is the root of the file system' })
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(target.path)) {
    throw known.targetPathInvalid({ ...fact, problem: 'has a control character' })
  }
}

/** Names of applications and environments hold no spaces; the file on the host is one line. */
function ownerOf(order: FolderOrder): string {
  return `${order.application} ${order.environment}`
}

/** Who holds the lock, for people. */
function deployer(): string {
  return `${userInfo().username}@${hostname()}`
}

async function* chunks(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
