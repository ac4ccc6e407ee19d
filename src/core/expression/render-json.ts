import type { Json, JsonObject } from '#core/json.ts'
import { valueDepthMax } from './limits.ts'
import { numberToText } from './text.ts'

/** `toJSON`: indented by two, keys in their order, numbers as `toText` writes them. Throws `RangeError` when nested too deep. */
export function renderJson(value: Json, depth = 0): string {
  if (depth > valueDepthMax) throw new RangeError(`the value is nested more than ${valueDepthMax} levels deep`)
  if (typeof value === 'number') return numberToText(value)
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) {
    return wrap(
      '[',
      (value as readonly Json[]).map((item) => renderJson(item, depth + 1)),
      { close: ']', depth },
    )
  }
  const members = Object.entries(value as JsonObject).map(
    ([key, item]) => `${JSON.stringify(key)}: ${renderJson(item, depth + 1)}`,
  )
  return wrap('{', members, { close: '}', depth })
}

function wrap(open: string, parts: readonly string[], frame: { close: string; depth: number }): string {
  if (parts.length === 0) return open + frame.close
  const inner = '  '.repeat(frame.depth + 1)
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${'  '.repeat(frame.depth)}${frame.close}`
}
