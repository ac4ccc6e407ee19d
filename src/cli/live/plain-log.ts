import type { FollowItem } from '#ports/agent-client.ts'
import { keyOf } from './live-state.ts'
import type { LiveState, LiveView } from './live-state.ts'
import { jobLabel } from './step-log.ts'

/** Anything but printable ASCII, tabs and line ends. */
const unusual = /[^\t\n\x20-\x7e]/

/**
 * The lines of a talkative step as bytes: what `renderItem` makes of them, a third as dear, because text of one byte per character is
 * neither searched for control sequences nor encoded. Undefined for everything that needs a closer look.
 */
export function renderPlainLog(state: LiveState, item: FollowItem, view: LiveView): Buffer | undefined {
  if (item.kind !== 'log' || view.isQuiet || !view.hasLogs) return undefined
  const key = keyOf(item.runId, item.jobKey)
  if ((state.startedAt.get(key) ?? 0) < (view.since ?? 0)) return undefined
  const step = state.steps.get(key)
  if (step === undefined || step.number === 0 || step.header !== 'over') return undefined
  const { text } = item
  if (!text.endsWith('\n') || unusual.test(text) || text.includes('##[')) return undefined
  // The bytes of the label, each as a character of its own.
  const label = Buffer.from(jobLabel(state.names.get(key) ?? item.jobKey, view.palette))
  const prefix = label.toString('latin1')
  return Buffer.from(`${prefix}${text.slice(0, -1).replaceAll('\n', `\n${prefix}`)}\n`, 'latin1')
}
