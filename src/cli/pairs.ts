import { flagInvalid } from '#core/known/cli.ts'

/** Collects the values of a flag that may be given several times. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

/** `--var key=value` as often as wanted; the last of two equal keys wins. The value may hold more separators, and may be empty. */
export function parsePairs(
  flag: string,
  values: readonly string[] | undefined,
  separator = '=',
): Readonly<Record<string, string>> {
  return Object.fromEntries((values ?? []).map((value) => parsePair(flag, value, separator)))
}

export function parsePair(flag: string, value: string, separator = '='): readonly [string, string] {
  const at = value.indexOf(separator)
  if (at <= 0) throw flagInvalid({ flag, value, expected: `KEY${separator}VALUE` })
  return [value.slice(0, at), value.slice(at + 1)]
}

/** A whole number of at least 1. */
export function parseCount(flag: string): (value: string) => number {
  return (value) => {
    if (!/^[1-9]\d{0,8}$/.test(value)) throw flagInvalid({ flag, value, expected: 'a whole number from 1' })
    return Number(value)
  }
}

/** Lines of a text, counted from 1; both ends belong to it, and `to` is absent for "as far as it goes". */
export interface LineRange {
  readonly from: number
  readonly to?: number
}

/** `--lines 20-40`, `20-` or `20`. */
export function parseLineRange(flag: string): (value: string) => LineRange {
  return (value) => {
    const [, first = '', dash = '', last = ''] = /^([1-9]\d{0,11})(?:(-)(\d{0,12}))?$/.exec(value) ?? []
    const from = Number(first)
    const to = dash === '' ? from : Number(last)
    if (first === '' || (last !== '' && to < from))
      throw flagInvalid({ flag, value, expected: 'a line, or two such as 20-40 or 20-' })
    return dash !== '' && last === '' ? { from } : { from, to }
  }
}
