import type { DeploymentEvent, StoredEvent } from '#core/run/event.ts'
import { renderDuration } from '#core/view/duration.ts'
import { shortVersion } from '#core/view/name.ts'
import type { Palette } from '../palette.ts'
import { waitingLine } from './live-state.ts'
import type { LiveState, LiveView } from './live-state.ts'
import { deploymentMark } from './mark.ts'

export type OwnDeploymentEvent = Extract<
  DeploymentEvent,
  { type: `deployment.${'created' | 'waiting' | 'phase' | 'progress' | 'finished'}` }
>
type EventOf<Type extends OwnDeploymentEvent['type']> = Extract<OwnDeploymentEvent, { type: Type }>

/** What a change of a deployment adds to the live log. */
export function deploymentLines(
  state: LiveState,
  stored: StoredEvent,
  event: OwnDeploymentEvent,
  view: LiveView,
): readonly string[] {
  const { palette } = view
  const { subject, at } = stored
  const environment = state.deployments.get(subject)?.environment ?? subject
  const label = `${palette.paint('cyan', environment)} ${palette.paint('dim', '│')}`
  switch (event.type) {
    case 'deployment.created':
      return [createdLine(state, stored, event, palette)]
    case 'deployment.waiting':
      return waitingLine(state, subject, palette.paint('cyan', environment), event.reason, palette.paint)
    case 'deployment.phase':
      state.waiting.delete(subject)
      // What it waited for a person is not what it took.
      if (event.phase === 'prepare' && event.target === undefined) state.startedAt.set(subject, at)
      state.running.set(subject, { name: `${environment} ${event.phase}`, since: at })
      return phaseLine(state, subject, event, { label, view })
    case 'deployment.progress':
      if (!view.hasLogs) return []
      return [`${label} ${whereIn(state, subject, event.target)}${palette.foreign(event.line)}`]
    case 'deployment.finished':
      return finishedLine(state, stored, event, view)
  }
}

function createdLine(
  state: LiveState,
  { subject, at }: StoredEvent,
  event: EventOf<'deployment.created'>,
  { paint }: Palette,
): string {
  const { environment, version, targets } = event
  state.deployments.set(subject, { environment, version, targets: targets.length })
  state.startedAt.set(subject, at)
  const many = `${targets.length} target${targets.length === 1 ? '' : 's'}`
  return `${paint('bold', event.kind)} ${shortVersion(version)} → ${paint('cyan', environment)} (${many}) ${paint('dim', `(${subject})`)}`
}

/** Phases right after the beginning and right before the end: without logs these two lines say enough. */
const isBrief: ReadonlySet<string> = new Set(['prepare', 'confirm'])

/** A phase begins for the deployment and then on each target: with one target, and without logs, that is one line. */
function phaseLine(
  state: LiveState,
  subject: string,
  { phase, target }: EventOf<'deployment.phase'>,
  { label, view }: { label: string; view: LiveView },
): readonly string[] {
  const known = state.deployments.get(subject)
  const isSaid = known?.phase === phase && (known.targets === 1 || !view.hasLogs)
  if (known !== undefined) known.phase = phase
  if (isSaid || (!view.hasLogs && isBrief.has(phase))) return []
  const where = target === undefined || known?.targets === 1 ? '' : ` ${target}`
  return [`${label} ${view.palette.paint('bold', `▶ ${phase}`)}${where}`]
}

/** The name of the only target says nothing that the environment's name does not. */
function whereIn(state: LiveState, subject: string, target: string | undefined): string {
  return target === undefined || state.deployments.get(subject)?.targets === 1 ? '' : `${target}: `
}

function finishedLine(
  state: LiveState,
  { subject, at }: StoredEvent,
  { conclusion, reason }: EventOf<'deployment.finished'>,
  view: LiveView,
): readonly string[] {
  state.running.delete(subject)
  state.waiting.delete(subject)
  if (view.leavesOutEnds === true) return []
  const known = state.deployments.get(subject)
  const since = state.startedAt.get(subject)
  const took = since === undefined ? '' : ` in ${renderDuration(at - since)}`
  const what = known === undefined ? subject : `${shortVersion(known.version)} → ${known.environment}`
  const why = reason === undefined ? '' : `: ${reason.message}`
  const said = conclusion === 'success' ? '' : `: ${conclusion}`
  return [`${deploymentMark(conclusion, view.palette.paint)} ${what}${said}${took}${why}`]
}
