import { renderAge } from '#core/view/duration.ts'

/** A time for a program: RFC 3339 in UTC, empty when there is none. */
export function exactTime(at: number | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString()
}

/** A time for a person: how long ago. */
export function age(now: number, at: number | undefined): string {
  return at === undefined ? '-' : renderAge(now - at)
}
