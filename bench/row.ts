import type { Comparison } from './compare.ts'

/** One line of the table: what was measured, on both sides, and the bar that it is held against. */
export interface Row {
  readonly what: string
  readonly ours: string
  readonly reference: string
  /** Ours divided by the reference, or what else is compared with the bar. */
  readonly measured: string
  readonly bar: string
  readonly verdict: 'met' | 'missed' | 'skipped' | 'shown'
  readonly note?: string
}

/** A bar of the form "at most so many times as long as the reference". */
export function atMost(factor: number, what: string, comparison: Comparison, note?: string): Row {
  const ratio = comparison.ours.medianMs / comparison.reference.medianMs
  return {
    ...sides(what, comparison, note),
    measured: `${ratio.toFixed(2)} ×`,
    bar: `≤ ${factor} ×`,
    verdict: ratio <= factor ? 'met' : 'missed',
  }
}

/** A bar of the form "so many times faster than the reference". */
export function fasterBy(factor: number, what: string, comparison: Comparison, note?: string): Row {
  const ratio = comparison.reference.medianMs / comparison.ours.medianMs
  return {
    ...sides(what, comparison, note),
    measured: `${ratio.toFixed(2)} × faster`,
    bar: `≥ ${factor} × faster`,
    verdict: ratio >= factor ? 'met' : 'missed',
  }
}

/** A line for something that this machine or this version cannot measure. */
export function skipped(what: string, bar: string, why: string): Row {
  return { what, ours: '', reference: '', measured: '', bar, verdict: 'skipped', note: why }
}

/** The table as Markdown. */
export function renderTable(rows: readonly Row[]): string {
  const head = ['what', 'ours', 'reference', 'measured', 'bar', '', 'note']
  const lines = rows.map((row) => [
    row.what,
    row.ours,
    row.reference,
    row.measured,
    row.bar,
    row.verdict,
    row.note ?? '',
  ])
  return [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

export function milliseconds(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(2)} s` : `${value.toFixed(value < 10 ? 2 : 0)} ms`
}

function sides(what: string, { ours, reference }: Comparison, note: string | undefined) {
  return {
    what,
    ours: milliseconds(ours.medianMs),
    reference: `${milliseconds(reference.medianMs)} ${reference.name}`,
    ...(note === undefined ? {} : { note }),
  }
}
