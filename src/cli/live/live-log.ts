import { unreachable } from '#core/unreachable.ts'
import type { DeploymentEvent, RunEvent, StoredEvent } from '#core/run/event.ts'
import { renderDuration } from '#core/view/duration.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import type { FollowItem } from '#ports/agent-client.ts'
import type { Palette } from '../palette.ts'
import { databaseLines } from './database-lines.ts'
import { deploymentLines } from './deployment-lines.ts'
import { keyOf } from './live-state.ts'
import type { LiveState, LiveView } from './live-state.ts'
import { mark } from './mark.ts'
import { jobLines, runLines, stepLines } from './run-lines.ts'
import { beginStep, jobLabel, renderStepLog } from './step-log.ts'

/**
 * The text that an item adds to the screen: whole lines, or nothing. The only input besides the item is what came before. Undefined
 * for what happened before `since`: it is taken in, and the screen stays as it is.
 */
export function renderItem(state: LiveState, item: FollowItem, view: LiveView): string | undefined {
  const { since = 0 } = view
  if (item.kind === 'log') {
    if (view.keepsOldLogs !== true && (state.startedAt.get(keyOf(item.runId, item.jobKey)) ?? 0) < since)
      return undefined
    return view.isQuiet || !view.hasLogs ? '' : renderLog(state, item, view.palette)
  }
  const { done } = state
  const lines = linesOf(state, item.stored, view)
  if (item.stored.at < since) {
    state.done = done
    return undefined
  }
  if (view.isQuiet || isEcho(state, item.stored, view)) return ''
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

/**
 * The log of the step that waits for a deployment repeats what happens in it; only that it waits for a person is said again, with the
 * hint. Without logs the deployment speaks for itself, and that a step asked for it is its first line.
 */
function isEcho(state: LiveState, { subject, event }: StoredEvent, { hasLogs }: LiveView): boolean {
  if (event.type === 'deployment.requested') return !hasLogs || state.echoed.has(event.deployment)
  if (!hasLogs || !state.echoed.has(subject)) return false
  return event.type !== 'deployment.waiting' && event.type !== 'approval.recorded'
}

function renderLog(state: LiveState, item: Extract<FollowItem, { kind: 'log' }>, palette: Palette): string {
  const key = keyOf(item.runId, item.jobKey)
  const label = jobLabel(state.names.get(key) ?? item.jobKey, palette)
  const body = item.text.endsWith('\n') ? item.text.slice(0, -1) : item.text
  const lines = renderStepLog(state.steps.get(key) ?? beginStep(1, ''), body, palette)
  return lines.length === 0 ? '' : `${label}${lines.join('\n').replaceAll('\n', `\n${label}`)}\n`
}

function linesOf(state: LiveState, stored: StoredEvent, view: LiveView): readonly string[] {
  const { event } = stored
  const { palette } = view
  switch (event.type) {
    case 'run.created':
    case 'run.started':
    case 'run.restarted':
    case 'run.waiting':
    case 'run.cancelling':
    case 'run.finished':
    case 'run.settled':
      return runLines(state, stored, event, palette)
    case 'job.planned':
    case 'job.calling':
    case 'job.waiting':
    case 'job.ready':
    case 'job.started':
    case 'job.lost':
    case 'job.finished':
      return jobLines(state, stored, event, palette)
    case 'step.started':
    case 'step.finished':
      return stepLines(state, stored.subject, event, view)
    case 'deployment.requested':
      if (state.running.size > 0) state.echoed.add(event.deployment)
      return [noticeLine(event, palette)]
    case 'release.sealed':
    case 'release.absent':
    case 'deployment.refused':
    case 'approval.recorded':
    case 'environment.held':
      return [noticeLine(event, palette)]
    case 'deployment.created':
    case 'deployment.waiting':
    case 'deployment.phase':
    case 'deployment.progress':
    case 'deployment.finished':
      return deploymentLines(state, stored, event, view)
    case 'database.created':
    case 'database.progress':
    case 'database.finished':
      return databaseLines(state, stored, event, view)
    default:
      return unreachable(event)
  }
}

type Notice = Extract<
  RunEvent | DeploymentEvent,
  {
    type:
      | 'release.sealed'
      | 'release.absent'
      | 'deployment.refused'
      | 'approval.recorded'
      | 'environment.held'
      | 'deployment.requested'
  }
>

function noticeLine(event: Notice, { paint }: Palette): string {
  switch (event.type) {
    case 'release.sealed':
      return `${mark('success', paint)} release ${paint('bold', shortVersion(event.version))} sealed (${shortDigest(event.release)})`
    case 'release.absent':
      return `${paint('yellow', '!')} no release: ${event.reason.message}`
    case 'deployment.refused':
      return `${paint('yellow', '!')} ${event.environment} does not take it: ${event.reason.message}`
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
