/** Milliseconds per unit of a written duration. */
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Nothing of ours waits longer than this; a longer duration is a typing mistake. */
export const durationMsMax = 366 * unitMs.d

/**
 * A duration as people write it, `500ms`, `60s`, `5m`, `24h`, `7d`, or several of them, `1h30m`, in milliseconds. A number
 * without a unit has no meaning here, because half of the readers would take it for seconds and the others for milliseconds.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}(?:ms|s|m|h|d))+$/.test(text)) return undefined
  let sum = 0
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|s|m|h|d)/g))
    sum += Number(count) * unitMs[unit as keyof typeof unitMs]
  return sum <= durationMsMax ? sum : undefined
}

/** The shortest text that `parseDuration` reads as these milliseconds. */
export function renderDuration(milliseconds: number): string {
  let rest = Math.max(0, Math.round(milliseconds))
  if (rest === 0) return '0s'
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / unitMs[unit])
    rest -= count * unitMs[unit]
    if (count > 0) text += `${count}${unit}`
  }
  return text
}
