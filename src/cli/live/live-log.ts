import { unreachable } from '#core/unreachable.ts'
import type { DeploymentEvent, RunEvent, StoredEvent } from '#core/run/event.ts'
import type { Conclusion, StepReport } from '#core/run/job-order.ts'
import { renderDuration } from '#core/view/duration.ts'
import { shortDigest, shortRef, shortVersion } from '#core/view/name.ts'
import type { FollowItem } from '#ports/agent-client.ts'
import type { Palette } from '../palette.ts'

/** What has been seen so far of the runs and deployments that are followed. Grows with jobs, never with log lines. */
export interface LiveState {
  /** Job key → name and start, for jobs that run now. */
  readonly running: Map<string, { readonly name: string; readonly since: number }>
  readonly names: Map<string, string>
  readonly startedAt: Map<string, number>
  readonly deployments: Map<string, { readonly environment: string; readonly version: string }>
  /** What waits now, and why: the last sentence per subject or job, so that it is not said twice. */
  readonly waiting: Map<string, string>
  /** Deployments that a running step waits for: the step's own log tells of them. */
  readonly echoed: Set<string>
  done: number
}

export interface LiveView {
  readonly palette: Palette
  /** Puts the time in front of every change of state: for logs that nobody watches. */
  readonly isStamped: boolean
  readonly isQuiet: boolean
  /** Milliseconds since 1970: what happened before is taken in, and not shown again. */
  readonly since?: number
}

export function startLive(): LiveState {
  return {
    running: new Map(),
    names: new Map(),
    startedAt: new Map(),
    deployments: new Map(),
    waiting: new Map(),
    echoed: new Set(),
    done: 0,
  }
}

/** The text that an item adds to the screen: whole lines, or nothing. The only input besides the item is what came before. */
export function renderItem(state: LiveState, item: FollowItem, view: LiveView): string {
  const { since = 0 } = view
  if (item.kind === 'log') {
    const isOld = (state.startedAt.get(keyOf(item.runId, item.jobKey)) ?? 0) < since
    return view.isQuiet || isOld ? '' : renderLog(state, item, view.palette)
  }
  const lines = linesOf(state, item.stored, view.palette)
  if (view.isQuiet || item.stored.at < since || isEcho(state, item.stored)) return ''
  const stamp = view.isStamped ? `${new Date(item.stored.at).toISOString().replace(/\.\d+Z$/, 'Z')}  ` : ''
  return lines.map((line) => `${stamp}${line}\n`).join('')
}

/** One line that tells what goes on now: the footer on a terminal. Empty when nothing does. */
export function renderFooter(state: LiveState, now: number): string {
  const running = [...state.running.values()].map(({ name, since }) => `${name} ${renderDuration(now - since)}`)
  const parts = [
    ...(running.length === 0
      ? []
      : [`running: ${running.slice(0, 4).join(', ')}${running.length > 4 ? ` and ${running.length - 4} more` : ''}`]),
    ...(state.waiting.size === 0 ? [] : [`waiting: ${state.waiting.size}`]),
    ...(state.done === 0 ? [] : [`done: ${state.done}`]),
  ]
  return parts.join(' · ')
}

/** The step that waits for a deployment repeats what happens in it; only that it waits for a person is said again, with the hint. */
function isEcho(state: LiveState, { subject, event }: StoredEvent): boolean {
  if (event.type === 'deployment.requested') return state.echoed.has(event.deployment)
  return state.echoed.has(subject) && event.type !== 'deployment.waiting' && event.type !== 'approval.recorded'
}

function renderLog(state: LiveState, item: Extract<FollowItem, { kind: 'log' }>, palette: Palette): string {
  const name = state.names.get(keyOf(item.runId, item.jobKey)) ?? item.jobKey
  const label = `${palette.paint('cyan', name)} ${palette.paint('dim', '│')} `
  const body = item.text.endsWith('\n') ? item.text.slice(0, -1) : item.text
  const shown = body.includes('##[')
    ? body
        .split('\n')
        .flatMap((line) => readMarker(line, palette))
        .join('\n')
    : palette.foreign(body)
  return shown === '' && body !== '' ? '' : `${label}${shown.replaceAll('\n', `\n${label}`)}\n`
}

const markerColours = {
  error: 'red',
  warning: 'yellow',
  notice: 'cyan',
  debug: 'dim',
  command: 'dim',
  section: 'bold',
} as const

/** `##[group]Install` and its like are marks for a page that folds; a reader of lines sees what they mean. */
function readMarker(line: string, palette: Palette): readonly string[] {
  const [, kind, text = ''] = /^##\[(\w+)\](.*)$/.exec(line) ?? []
  if (kind === undefined) return [palette.foreign(line)]
  if (kind === 'endgroup') return []
  if (kind === 'group') return [palette.paint('dim', `▸ ${palette.foreign(text)}`)]
  const colour = Object.entries(markerColours).find(([name]) => name === kind)?.[1]
  return colour === undefined ? [palette.foreign(line)] : [palette.paint(colour, `${kind}: ${palette.foreign(text)}`)]
}

function linesOf(state: LiveState, stored: StoredEvent, palette: Palette): readonly string[] {
  const { event } = stored
  switch (event.type) {
    case 'run.created':
    case 'run.started':
    case 'run.waiting':
    case 'run.cancelling':
    case 'run.finished':
    case 'run.settled':
      return runLines(state, stored, event, palette)
    case 'job.planned':
    case 'job.waiting':
    case 'job.ready':
    case 'job.started':
    case 'job.lost':
    case 'job.finished':
      return jobLines(state, stored, event, palette)
    case 'step.started':
    case 'step.finished':
      return stepLines(state, stored.subject, event, palette)
    case 'release.sealed':
      return [
        `${palette.paint('green', '✓')} release ${palette.paint('bold', shortVersion(event.version))} sealed (${shortDigest(event.release)})`,
      ]
    case 'release.absent':
      return [`${palette.paint('yellow', '!')} no release: ${event.reason.message}`]
    case 'deployment.refused':
      return [`${palette.paint('yellow', '!')} ${event.environment} does not take it: ${event.reason.message}`]
    case 'approval.recorded':
    case 'environment.held':
      return [noticeLine(event, palette)]
    case 'deployment.requested':
      if (state.running.size > 0) state.echoed.add(event.deployment)
      return [noticeLine(event, palette)]
    case 'deployment.created':
    case 'deployment.waiting':
    case 'deployment.phase':
    case 'deployment.progress':
    case 'deployment.finished':
      return deploymentLines(state, stored, event, palette)
    default:
      return unreachable(event)
  }
}

type EventOf<Prefix extends string> = Extract<RunEvent | DeploymentEvent, { type: `${Prefix}.${string}` }>

function runLines(state: LiveState, stored: StoredEvent, event: EventOf<'run'>, { paint }: Palette): readonly string[] {
  switch (event.type) {
    case 'run.created':
      state.startedAt.set(stored.subject, stored.at)
      return [
        `${paint('bold', `run #${event.number}`)} ${event.workflow}: ${event.event} ${shortRef(event.ref)} ${event.sha.slice(0, 7)} ${paint('dim', `(${stored.subject})`)}`,
      ]
    case 'run.started':
      state.waiting.delete(stored.subject)
      return []
    case 'run.waiting':
      return waitingLine(state, stored.subject, 'run', event.reason, paint)
    case 'run.cancelling':
      return [
        `${paint('yellow', '!')} cancelling, asked by ${event.by}${event.reason === '' ? '' : `: ${event.reason}`}`,
      ]
    case 'run.finished':
    case 'run.settled':
      state.waiting.delete(stored.subject)
      return []
  }
}

function jobLines(state: LiveState, stored: StoredEvent, event: EventOf<'job'>, { paint }: Palette): readonly string[] {
  if (event.type === 'job.planned') {
    for (const leg of event.legs) state.names.set(keyOf(stored.subject, leg.key), leg.name)
    return []
  }
  const key = keyOf(stored.subject, event.key)
  state.names.set(key, event.name)
  const name = paint('cyan', event.name)
  switch (event.type) {
    case 'job.waiting':
      return waitingLine(state, key, name, event.reason, paint)
    case 'job.ready':
      state.waiting.delete(key)
      return []
    case 'job.started':
      state.waiting.delete(key)
      state.startedAt.set(key, stored.at)
      state.running.set(key, { name: event.name, since: stored.at })
      return [`${name} started${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}`]
    case 'job.lost':
      state.running.delete(key)
      return [`${paint('yellow', '!')} ${name} attempt ${event.attempt} was lost: ${event.reason.message}`]
    case 'job.finished': {
      state.running.delete(key)
      state.waiting.delete(key)
      state.done += 1
      const since = state.startedAt.get(key)
      const took = since === undefined ? '' : ` in ${renderDuration(stored.at - since)}`
      return [
        `${mark(event.conclusion, paint)} ${name} ${verbOf[event.conclusion]}${took}${event.reason === undefined ? '' : `: ${event.reason.message}`}`,
      ]
    }
  }
}

function stepLines(state: LiveState, subject: string, event: EventOf<'step'>, palette: Palette): readonly string[] {
  const { paint } = palette
  const { step } = event
  const label = `${paint('cyan', state.names.get(keyOf(subject, event.key)) ?? event.key)} ${paint('dim', '│')}`
  if (event.type === 'step.started')
    return step.number === 0 ? [] : [`${label} ${paint('bold', `▶ ${palette.foreign(step.name)}`)}`]
  if (step.number === 0 && step.conclusion === 'success') return []
  return [`${label} ${stepEnding(step, palette)}`]
}

function stepEnding(step: StepReport, palette: Palette): string {
  const conclusion = step.conclusion ?? 'success'
  const took =
    step.durationMs === undefined || conclusion === 'skipped'
      ? ''
      : ` ${palette.paint('dim', renderDuration(step.durationMs))}`
  const forgiven = step.outcome === 'failure' && conclusion === 'success' ? ' (failed, continue-on-error)' : ''
  const why = step.reason === undefined ? '' : `: ${palette.foreign(step.reason)}`
  return `${mark(conclusion, palette.paint)} ${palette.foreign(step.name)}${took}${forgiven}${why}`
}

function noticeLine(
  event: Extract<
    RunEvent | DeploymentEvent,
    { type: 'approval.recorded' | 'environment.held' | 'deployment.requested' }
  >,
  { paint }: Palette,
): string {
  switch (event.type) {
    case 'approval.recorded': {
      const isYes = event.decision === 'approve'
      const reason = event.reason === undefined ? '' : `: ${event.reason}`
      return `${mark(isYes ? 'success' : 'failure', paint)} ${event.environment}: ${isYes ? 'approved' : 'rejected'} by ${event.actor}${reason}`
    }
    case 'environment.held':
      return `${paint('yellow', '!')} ${event.environment} is held: ${event.reason.message} (\`shipway resume ${event.environment}\` lifts it)`
    case 'deployment.requested':
      return `deployment to ${event.environment} requested ${paint('dim', `(${event.deployment})`)}`
  }
}

function deploymentLines(
  state: LiveState,
  stored: StoredEvent,
  event: Exclude<EventOf<'deployment'>, { type: 'deployment.requested' | 'deployment.refused' }>,
  palette: Palette,
): readonly string[] {
  const { paint } = palette
  if (event.type === 'deployment.created') {
    state.deployments.set(stored.subject, { environment: event.environment, version: event.version })
    state.startedAt.set(stored.subject, stored.at)
    return [
      `${paint('bold', event.kind)} ${shortVersion(event.version)} → ${paint('cyan', event.environment)} (${count(event.targets.length, 'target')}) ${paint('dim', `(${stored.subject})`)}`,
    ]
  }
  const known = state.deployments.get(stored.subject)
  const environment = known?.environment ?? stored.subject
  const label = `${paint('cyan', environment)} ${paint('dim', '│')}`
  switch (event.type) {
    case 'deployment.waiting':
      return waitingLine(state, stored.subject, paint('cyan', environment), event.reason, paint)
    case 'deployment.phase':
      state.waiting.delete(stored.subject)
      state.running.set(stored.subject, { name: `${environment} ${event.phase}`, since: stored.at })
      return [`${label} ${paint('bold', `▶ ${event.phase}`)}${event.target === undefined ? '' : ` ${event.target}`}`]
    case 'deployment.progress':
      return [`${label} ${event.target === undefined ? '' : `${event.target}: `}${palette.foreign(event.line)}`]
    case 'deployment.finished': {
      state.running.delete(stored.subject)
      state.waiting.delete(stored.subject)
      const since = state.startedAt.get(stored.subject)
      const took = since === undefined ? '' : ` in ${renderDuration(stored.at - since)}`
      const symbol = mark(
        event.conclusion === 'success' ? 'success' : event.conclusion === 'cancelled' ? 'cancelled' : 'failure',
        paint,
      )
      const what = known === undefined ? environment : `${shortVersion(known.version)} → ${environment}`
      return [
        `${symbol} ${what}: ${event.conclusion}${took}${event.reason === undefined ? '' : `: ${event.reason.message}`}`,
      ]
    }
  }
}

function waitingLine(
  state: LiveState,
  key: string,
  name: string,
  reason: { readonly message: string; readonly hint?: string },
  paint: Palette['paint'],
): readonly string[] {
  const isSaid = [...state.waiting.values()].includes(reason.message)
  state.waiting.set(key, reason.message)
  if (isSaid) return []
  const hint = reason.hint === undefined ? [] : [`  ${paint('dim', `→ ${reason.hint}`)}`]
  return [`${paint('yellow', '⏳')} ${name} waits: ${reason.message}`, ...hint]
}

const verbOf: Record<Conclusion, string> = {
  success: 'passed',
  failure: 'failed',
  cancelled: 'was cancelled',
  skipped: 'was skipped',
}

/** The symbol of a conclusion, in its colour. */
export function mark(conclusion: Conclusion, paint: Palette['paint']): string {
  switch (conclusion) {
    case 'success':
      return paint('green', '✓')
    case 'failure':
      return paint('red', '✗')
    case 'cancelled':
      return paint('yellow', '⊘')
    case 'skipped':
      return paint('dim', '-')
  }
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

function keyOf(subject: string, key: string): string {
  return `${subject}/${key}`
}
