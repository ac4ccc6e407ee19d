import { toText } from '#core/expression/text.ts'
import type { JsonObject } from '#core/json.ts'

/**
 * Whether `--matrix KEY:VALUE` leaves a leg: for each key that the leg has and the call names, its value must be one of those named. A key
 * that only other jobs have says nothing about this one.
 */
export function isWantedLeg(
  matrix: JsonObject,
  wanted: readonly { readonly key: string; readonly value: string }[],
): boolean {
  return Object.entries(matrix).every(([key, value]) => {
    const named = wanted.filter((pair) => pair.key === key)
    return named.length === 0 || named.some((pair) => pair.value === toText(value))
  })
}
