const digits = '0123456789abcdefghjkmnpqrstvwxyz'

/**
 * `github.run_id` for a run of ours: GitHub's is a whole number, and actions compute with it. It is made of the time and the first random
 * bits in the id (`ports/ids.ts`), so it is the same in every attempt, grows with time, and fits into a double.
 */
export function numericRunId(id: string): string {
  const text = id.slice(id.indexOf('_') + 1)
  let value = 0n
  for (const digit of text) value = (value << 5n) | BigInt(Math.max(0, digits.indexOf(digit)))
  const time = value >> 80n
  const random = (value >> 70n) & 1023n
  return String((time << 10n) | random)
}
