import type { Json } from '#core/json.ts'
import { textToNumber } from './text.ts'

/** Whether a value counts as true: null, false, 0, NaN and the empty text do not, everything else does. */
export function isTruthy(value: Json): boolean {
  if (value === null || value === '' || value === false) return false
  return typeof value !== 'number' || !(value === 0 || Number.isNaN(value))
}

/** True for null, booleans, numbers and texts. */
export function isScalar(value: Json): value is string | number | boolean | null {
  return value === null || typeof value !== 'object'
}

/** The number that a value counts as in a comparison; lists and mappings are NaN. */
export function toNumber(value: Json): number {
  if (value === null) return 0
  switch (typeof value) {
    case 'number':
      return value
    case 'boolean':
      return value ? 1 : 0
    case 'string':
      return textToNumber(value)
    default:
      return Number.NaN
  }
}

/**
 * `==` of GitHub's expressions: texts are compared without case, different kinds as numbers, lists and mappings only
 * by identity (actions-semantics 17).
 */
export function isEqual(left: Json, right: Json): boolean {
  const [a, b] = alike(left, right)
  if (typeof a === 'string' && typeof b === 'string') return toUpper(a) === toUpper(b)
  return a === b
}

/** `<` (-1) and `>` (1); 0 says neither, which covers equal values, NaN, null, lists and mappings. */
export function compare(left: Json, right: Json): -1 | 0 | 1 {
  const [a, b] = alike(left, right)
  if (typeof a === 'string' && typeof b === 'string') return order(toUpper(a), toUpper(b))
  if (typeof a === 'number' && typeof b === 'number') return order(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return order(Number(a), Number(b))
  return 0
}

/** Upper case without touching the dotless i, whose upper case is an ordinary I (GitHub compares ordinals). */
export function toUpper(text: string): string {
  return text.includes('ı')
    ? text
        .split('ı')
        .map((part) => part.toUpperCase())
        .join('ı')
    : text.toUpperCase()
}

function order<T extends string | number>(a: T, b: T): -1 | 0 | 1 {
  if (a < b) return -1
  return a > b ? 1 : 0
}

/** Brings two values of different kinds to numbers where GitHub does; a list or mapping stays what it is. */
function alike(left: Json, right: Json): [Json, Json] {
  if (kindOf(left) === kindOf(right)) return [left, right]
  const a = isScalar(left) ? toNumber(left) : left
  const b = isScalar(right) ? toNumber(right) : right
  return [a, b]
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}
