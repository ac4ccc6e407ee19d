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
    if (!/^[1-9]\d{0,5}$/.test(value)) throw flagInvalid({ flag, value, expected: 'a whole number from 1' })
    return Number(value)
  }
}
