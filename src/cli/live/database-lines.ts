import type { DatabaseEvent, StoredEvent } from '#core/run/event.ts'
import { renderDuration } from '#core/view/duration.ts'
import type { LiveState, LiveView } from './live-state.ts'
import { mark } from './mark.ts'

/** What a change of a backup or a restore adds to the live log. */
export function databaseLines(
  state: LiveState,
  { subject, at }: StoredEvent,
  event: DatabaseEvent,
  { palette, hasLogs }: LiveView,
): readonly string[] {
  const { paint } = palette
  switch (event.type) {
    case 'database.created': {
      state.startedAt.set(subject, at)
      state.running.set(subject, { name: `${event.environment} ${event.kind}`, since: at })
      const what = event.backup === undefined ? '' : ` of ${event.backup}`
      return [
        `${paint('bold', event.kind)}${what} → ${paint('cyan', event.environment)} ${paint('dim', `(${subject})`)}`,
      ]
    }
    case 'database.progress':
      return hasLogs ? [`${paint('dim', '│')} ${palette.foreign(event.line)}`] : []
    case 'database.finished': {
      state.running.delete(subject)
      state.done += 1
      const took = renderDuration(at - (state.startedAt.get(subject) ?? at))
      const why = event.reason === undefined ? '' : `: ${palette.foreign(event.reason.message)}`
      const hint = event.reason?.hint === undefined ? [] : [`  ${paint('dim', '→')} ${event.reason.hint}`]
      return [`${mark(event.conclusion, paint)} ${subject} ${event.conclusion} in ${took}${why}`, ...hint]
    }
  }
}
