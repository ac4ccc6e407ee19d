import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'

/** Looks at a value that came from outside. Undefined when it is as it should be, else what is wrong, with the place: `"vars" is no object`. */
export type Shape = (value: Json, place: string) => string | undefined

/** A shape, and whether its field may be absent. */
export interface Field {
  readonly shape: Shape
  readonly isOptional: boolean
}

/** The shapes of every field of a type: a field that is forgotten, or marked wrongly, does not compile. */
export type FieldsOf<T> = {
  readonly [Key in keyof T]-?: { readonly shape: Shape; readonly isOptional: undefined extends T[Key] ? true : false }
}

/** Levels of objects and lists in one another that a ticket may have: far more than any forge sends, far fewer than a call stack has. */
export const nestingMax = 100

export function required(shape: Shape): { readonly shape: Shape; readonly isOptional: false } {
  return { shape, isOptional: false }
}

export function optional(shape: Shape): { readonly shape: Shape; readonly isOptional: true } {
  return { shape, isOptional: true }
}

/** A text that every store, log and process can carry: no zero byte, no half of a surrogate pair. */
export const text: Shape = (value, place) => {
  if (typeof value !== 'string') return `${place} is no text`
  return value.isWellFormed() && !value.includes('\0') ? undefined : `${place} has characters that no text can have`
}

/** A name that may be the name of a folder, and is one in a state home. */
export const name: Shape = (value, place) =>
  text(value, place) ??
  (/^(?!\.{1,2}$)[^/\\]{1,255}$/.test(String(value))
    ? undefined
    : `${place} is no name: it is empty, too long or a path`)

/** A text that goes to programs as an argument, where a dash in front would make an option of it. */
export const argument: Shape = (value, place) =>
  text(value, place) ??
  (/^(?!-)[^\r\n]*$/.test(String(value)) ? undefined : `${place} begins with a dash or has more than one line`)

/** 64 hexadecimal digits; also the name of a file. */
export const digest: Shape = (value, place) =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? undefined : `${place} is no SHA-256`

export const boolean: Shape = (value, place) =>
  typeof value === 'boolean' ? undefined : `${place} is no true or false`

export const isTrue: Shape = (value, place) => (value === true ? undefined : `${place} is not true`)

/** A whole number from 0 that a double holds exactly. */
export const count: Shape = (value, place) =>
  Number.isSafeInteger(value) && Number(value) >= 0 ? undefined : `${place} is no whole number from 0`

/** 0 to 100, with decimals. */
export const percent: Shape = (value, place) =>
  typeof value === 'number' && value >= 0 && value <= 100 ? undefined : `${place} is no percentage`

/** Milliseconds since 1970 that a date can have. */
export const time: Shape = (value, place) =>
  count(value, place) === undefined && Number(value) <= 8.64e15 ? undefined : `${place} is no time`

/** Any JSON object. */
export const object: Shape = (value, place) => (isJsonObject(value) ? undefined : `${place} is no object`)

export function oneOf(...words: readonly string[]): Shape {
  return (value, place) =>
    typeof value === 'string' && words.includes(value) ? undefined : `${place} is none of ${words.join(', ')}`
}

export function listOf(shape: Shape): Shape {
  return (value, place) =>
    Array.isArray(value)
      ? first(value.map((item: Json, index) => () => shape(item, `${place}[${index}]`)))
      : `${place} is no list`
}

/** An object whose names are anything and whose values have one shape. */
export function recordOf(shape: Shape): Shape {
  return (value, place) =>
    isJsonObject(value)
      ? first(
          Object.entries(value).map(
            ([key, item]) =>
              () =>
                text(key, `a name in ${place}`) ?? shape(item, `${place}.${shown(key)}`),
          ),
        )
      : `${place} is no object`
}

/**
 * An object with these fields and no others: a field that is not known may be a condition (`only if …`), and to leave it out would be to do more
 * than was asked.
 */
export function fields<T extends Readonly<Record<string, Field>>>(known: T): Shape {
  return (value, place) => {
    if (!isJsonObject(value)) return `${place} is no object`
    const stranger = Object.keys(value).find((key) => !Object.hasOwn(known, key))
    if (stranger !== undefined) return `${place} has "${shown(stranger)}", which this agent does not know`
    return first(
      Object.entries(known).map(([key, { shape, isOptional }]) => () => {
        const item = Object.hasOwn(value, key) ? value[key] : undefined
        if (item !== undefined) return shape(item, `${place}.${key}`)
        return isOptional ? undefined : `${place} has no "${key}"`
      }),
    )
  }
}

/** A value that has one shape or another by its `kind`. */
export function byKind(shapes: Readonly<Record<string, Shape>>): Shape {
  return (value, place) => {
    if (!isJsonObject(value)) return `${place} is no object`
    const { kind } = value
    const shape = typeof kind === 'string' && Object.hasOwn(shapes, kind) ? shapes[kind] : undefined
    return shape === undefined
      ? `${place}.kind is ${typeof kind === 'string' ? `"${shown(kind)}"` : 'no text'}, which this agent does not know`
      : shape(value, place)
  }
}

/** True when objects and lists are nested deeper than `nestingMax`; walks by itself, because what recurses ends at some depth with an exception. */
export function isTooDeep(value: Json): boolean {
  let level: readonly Json[] = [value]
  for (let depth = 0; depth <= nestingMax; depth += 1) {
    level = level.flatMap((item): readonly Json[] =>
      typeof item === 'object' && item !== null ? (Object.values(item) as readonly Json[]) : [],
    )
    if (level.length === 0) return false
  }
  return true
}

function first(checks: readonly (() => string | undefined)[]): string | undefined {
  for (const check of checks) {
    const problem = check()
    if (problem !== undefined) return problem
  }
  return undefined
}

/** A name from outside as a message may show it. */
function shown(key: string): string {
  const line = key.toWellFormed().replaceAll(/\p{Cc}/gu, '?')
  return line.length > 40 ? `${line.slice(0, 40)}…` : line
}
