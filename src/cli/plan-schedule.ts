import { timesAfter } from '#core/trigger/schedule.ts'
import type { EventFacts } from '#core/ticket/model.ts'
import type { ScheduleModel, WorkflowModel } from '#core/workflow/model.ts'

/** Coming times that a plan shows of each schedule. */
const timesShown = 3

/** A schedule of a workflow, and when it comes next. */
export interface ComingTimes extends ScheduleModel {
  /** Milliseconds since 1970, the nearest first. */
  readonly next: readonly number[]
}

/** The schedules of workflows by their file; none for another event. With a schedule named by the payload, that one alone. */
export function comingTimes(
  models: readonly WorkflowModel[],
  event: Pick<EventFacts, 'name' | 'payload'>,
  now: number,
): ReadonlyMap<string, readonly ComingTimes[]> {
  if (event.name !== 'schedule') return new Map()
  const due = event.payload['schedule']
  return new Map(
    models.map((model) => {
      const schedules = model.triggers.flatMap((trigger) => trigger.schedules ?? [])
      const meant = schedules.filter(({ cron }) => due === undefined || cron === due)
      return [model.file, meant.map((one) => ({ ...one, next: timesAfter(one, now, { count: timesShown }) }))]
    }),
  )
}

/** `0 3 * * *  Europe/Berlin  next 2026-11-22T02:00:00Z, …` */
export function renderComing({ cron, timezone, next }: ComingTimes): string {
  const times = next.map((at) => new Date(at).toISOString().replace('.000Z', 'Z')).join(', ')
  return `${cron}${timezone === undefined ? '' : `  ${timezone}`}  ${times === '' ? 'never comes' : `next ${times}`}`
}
