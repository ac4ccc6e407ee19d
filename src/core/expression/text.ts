import type { Json } from '#core/json.ts'

/** Digits that .NET's `G15` keeps. */
const precision = 15

/**
 * The text of a value inside a string, as GitHub's runner writes it: null is empty, numbers are .NET `G15`
 * (`12345678901234567890` becomes `1.23456789012346E+19`), a list is `Array`, a mapping is `Object`.
 */
export function toText(value: Json): string {
  if (value === null) return ''
  switch (typeof value) {
    case 'string':
      return value
    case 'boolean':
      return value ? 'true' : 'false'
    case 'number':
      return numberToText(value)
    default:
      return Array.isArray(value) ? 'Array' : 'Object'
  }
}

/** A number as .NET's `ToString("G15", InvariantCulture)`; minus zero is `0`, as in `actions/runner` EvaluationResult. */
export function numberToText(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const [mantissa = '', exponentText = '0'] = value.toExponential(precision - 1).split('e')
  const exponent = Number(exponentText)
  const digits = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa
  if (exponent > -5 && exponent < precision) return plainNumber(digits, exponent)
  const magnitude = String(Math.abs(exponent)).padStart(2, '0')
  return `${digits}E${exponent < 0 ? '-' : '+'}${magnitude}`
}

/** Moves the point of a normalised mantissa: (`-1.25`, -2) becomes `-0.0125`. */
function plainNumber(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  const fraction = digits.slice(exponent + 1)
  return fraction === '' ? `${sign}${whole}` : `${sign}${whole}.${fraction}`
}

/**
 * The number that a text stands for, NaN when it stands for none: blanks around it are ignored, empty is 0,
 * `0x` and `0o` are read, and so is `Infinity`. JavaScript's binary `0b` is no number for GitHub.
 */
export function textToNumber(text: string): number {
  const trimmed = text.trim()
  return /^0b/i.test(trimmed) ? Number.NaN : Number(trimmed)
}
