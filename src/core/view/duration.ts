const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** How long something took, for people: `0.3s`, `41s`, `2m 05s`, `1h 07m`. Negative values (a clock that went back) count as 0. */
export function renderDuration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms < 10 * second) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`
  if (ms < minute) return `${Math.floor(ms / second)}s`
  if (ms < hour) return `${Math.floor(ms / minute)}m ${two(Math.floor((ms % minute) / second))}s`
  return `${Math.floor(ms / hour)}h ${two(Math.floor((ms % hour) / minute))}m`
}

/** How long ago or how far ahead, one unit: `8s`, `3m`, `3h`, `2d`. */
export function renderAge(milliseconds: number): string {
  const ms = Math.max(0, milliseconds)
  if (ms < minute) return `${Math.floor(ms / second)}s`
  if (ms < hour) return `${Math.floor(ms / minute)}m`
  if (ms < 2 * day) return `${Math.floor(ms / hour)}h`
  return `${Math.floor(ms / day)}d`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
