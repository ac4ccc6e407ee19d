import type { Json } from '#core/json.ts'

/** What is wrong with a JSON pointer, or undefined. */
export function pointerProblem(pointer: string): string | undefined {
  if (pointer !== '' && !pointer.startsWith('/')) return 'a JSON pointer begins with "/", such as /data/status'
  return /~(?![01])/.test(pointer) ? '"~" stands for ~0 or ~1 in a JSON pointer' : undefined
}

/** The value at a JSON pointer (RFC 6901); undefined where there is none. */
export function valueAt(document: Json, pointer: string): Json | undefined {
  let value: Json | undefined = document
  for (const written of pointer.split('/').slice(1)) {
    const key = written.replaceAll('~1', '/').replaceAll('~0', '~')
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d*)$/.test(key) ? (value as readonly Json[])[Number(key)] : undefined
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, key))
      value = (value as Readonly<Record<string, Json>>)[key]
    else return undefined
  }
  return value
}

/** A scalar at a JSON pointer as text; undefined for everything else. */
export function textAt(document: Json, pointer: string): string | undefined {
  const value = valueAt(document, pointer)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}
