import type { DeploymentEvent, RunEvent, StoredEvent } from '#core/run/event.ts'
import type { StepReport } from '#core/run/job-order.ts'
import { renderDuration } from '#core/view/duration.ts'
import { shortRef } from '#core/view/name.ts'
import type { Palette } from '../palette.ts'
import { keyOf, waitingLine } from './live-state.ts'
import type { LiveState, LiveView } from './live-state.ts'
import { mark, verbOf } from './mark.ts'
import { beginStep, endStepLog } from './step-log.ts'

export type EventOf<Prefix extends string> = Extract<RunEvent | DeploymentEvent, { type: `${Prefix}.${string}` }>

/** What a change of a run adds to the live log. */
export function runLines(
  state: LiveState,
  stored: StoredEvent,
  event: EventOf<'run'>,
  { paint }: Palette,
): readonly string[] {
  switch (event.type) {
    case 'run.created':
      state.startedAt.set(stored.subject, stored.at)
      return [
        `${paint('bold', `run #${event.number}`)} ${event.workflow}: ${event.event} ${shortRef(event.ref)} ${event.sha.slice(0, 7)} ${paint('dim', `(${stored.subject})`)}`,
      ]
    case 'run.started':
      state.waiting.delete(stored.subject)
      return []
    case 'run.restarted':
      state.startedAt.set(stored.subject, stored.at)
      state.waiting.delete(stored.subject)
      return [
        `${paint('bold', `attempt ${event.attempt}`)} of ${stored.subject}, asked by ${event.by}: ${event.jobs.join(', ')}`,
      ]
    case 'run.waiting':
      // The job or the deployment that it waits for has said it, with its own name.
      if (partWaits(state, stored.subject)) return []
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

function partWaits(state: LiveState, run: string): boolean {
  return [...state.waiting.keys()].some((key) => key.startsWith(keyOf(run, '')) || state.deployments.has(key))
}

/** What a change of a job adds to the live log. */
export function jobLines(
  state: LiveState,
  stored: StoredEvent,
  event: EventOf<'job'>,
  { paint }: Palette,
): readonly string[] {
  if (event.type === 'job.planned') {
    for (const leg of event.legs) state.names.set(keyOf(stored.subject, leg.key), leg.name)
    return []
  }
  const key = keyOf(stored.subject, event.key)
  state.names.set(key, event.name)
  const name = paint('cyan', event.name)
  switch (event.type) {
    case 'job.calling':
      state.waiting.delete(key)
      state.startedAt.set(key, stored.at)
      for (const job of event.jobs) state.names.set(keyOf(stored.subject, job.key), job.name)
      return [`${name} calls ${event.file}`]
    case 'job.waiting':
      return waitingLine(state, key, name, event.reason, paint)
    case 'job.ready':
      state.waiting.delete(key)
      return []
    case 'job.started':
      state.waiting.delete(key)
      state.startedAt.set(key, stored.at)
      state.running.set(key, { name: event.name, since: stored.at })
      state.steps.set(key, beginStep(0, ''))
      return [`${name} started${event.attempt > 1 ? ` (attempt ${event.attempt})` : ''}`]
    case 'job.lost':
      state.running.delete(key)
      return [`${paint('yellow', '!')} ${name} attempt ${event.attempt} was lost: ${event.reason.message}`]
    case 'job.finished':
      return [finishedLine(state, stored.at, key, event, paint), ...cure(event, paint)]
  }
}

function finishedLine(
  state: LiveState,
  at: number,
  key: string,
  event: Extract<RunEvent, { type: 'job.finished' }>,
  paint: Palette['paint'],
): string {
  const since = state.startedAt.get(key)
  const said = state.failures.get(key)
  state.running.delete(key)
  state.waiting.delete(key)
  state.steps.delete(key)
  state.failures.delete(key)
  state.done += 1
  const took = since === undefined ? '' : ` in ${renderDuration(at - since)}`
  const why = event.reason === undefined ? '' : `: ${withoutEnd(event.reason.message, said)}`
  const where = event.environmentUrl === undefined ? '' : ` → ${event.environmentUrl}`
  return `${mark(event.conclusion, paint)} ${paint('cyan', event.name)} ${verbOf[event.conclusion]}${took}${where}${why}`
}

/** What to do about a job that failed before it began; of all others the log says it. */
function cure(event: Extract<RunEvent, { type: 'job.finished' }>, paint: Palette['paint']): readonly string[] {
  const hint = event.conclusion === 'failure' ? event.reason?.hint : undefined
  return hint === undefined ? [] : [`  ${paint('dim', `→ ${hint}`)}`]
}

/** `Step 2 "Unit tests" failed: exit code 1.` without what the lines before it have said. */
function withoutEnd(message: string, said: string | undefined): string {
  return said !== undefined && said !== '' && message.endsWith(`: ${said}`)
    ? `${message.slice(0, -said.length - 2)}.`
    : message
}

/** What a change of a step adds to the live log; without logs only that it failed. */
export function stepLines(
  state: LiveState,
  subject: string,
  event: EventOf<'step'>,
  { palette, hasLogs }: LiveView,
): readonly string[] {
  const { step } = event
  const key = keyOf(subject, event.key)
  const label = `${palette.paint('cyan', state.names.get(key) ?? event.key)} ${palette.paint('dim', '│')}`
  if (event.type === 'step.started') {
    state.steps.set(key, beginStep(step.number, step.name))
    return step.number === 0 || !hasLogs ? [] : [`${label} ${palette.paint('bold', `▶ ${palette.foreign(step.name)}`)}`]
  }
  const log = state.steps.get(key)
  const held = log === undefined || !hasLogs ? [] : endStepLog(log, palette)
  const isSaid = log?.lastError !== undefined && log.lastError === step.reason
  if (step.conclusion === 'failure' && step.reason !== undefined) state.failures.set(key, step.reason)
  const isShown = step.conclusion === 'failure' || (hasLogs && !(step.number === 0 && step.conclusion === 'success'))
  const end = isShown ? [`${label} ${stepEnding(step, isSaid, palette)}`] : []
  return [...held.map((line) => `${label} ${line}`), ...end]
}

function stepEnding(step: StepReport, isReasonSaid: boolean, palette: Palette): string {
  const conclusion = step.conclusion ?? 'success'
  const took =
    step.durationMs === undefined || conclusion === 'skipped'
      ? ''
      : ` ${palette.paint('dim', renderDuration(step.durationMs))}`
  const forgiven = step.outcome === 'failure' && conclusion === 'success' ? ' (failed, continue-on-error)' : ''
  const why = step.reason === undefined || isReasonSaid ? '' : `: ${palette.foreign(step.reason)}`
  return `${mark(conclusion, palette.paint)} ${palette.foreign(step.name)}${took}${forgiven}${why}`
}
