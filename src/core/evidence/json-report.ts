import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { read, textProblem, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'

/** The object that a JSON report is. A byte order mark is forgiven; anything that follows the value is not. */
export function readJsonObject(text: string): Reading<JsonObject> {
  const problem = textProblem(text)
  if (problem !== undefined) return unreadable(problem)
  try {
    const value = JSON.parse(text.replace(/^\uFEFF/, '')) as Json
    return isJsonObject(value) ? read(value) : unreadable('not a JSON object')
  } catch (error) {
    return unreadable(`not well-formed JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A member that must be an object; an empty one when it is not there. */
export function objectIn(value: Json | undefined, name: string): JsonObject {
  const member = isJsonObject(value) ? value[name] : undefined
  return isJsonObject(member) ? member : {}
}

/** The objects of a list; nothing when it is not there. */
export function objectsIn(value: Json | undefined, name: string): readonly JsonObject[] {
  const member = isJsonObject(value) ? value[name] : undefined
  return Array.isArray(member) ? member.filter((item): item is JsonObject => isJsonObject(item)) : []
}

/** A member that is text, else undefined. */
export function textIn(value: Json | undefined, name: string): string | undefined {
  const member = isJsonObject(value) ? value[name] : undefined
  return typeof member === 'string' ? member : undefined
}

/** A member that is a finite number, else undefined. */
export function numberIn(value: Json | undefined, name: string): number | undefined {
  const member = isJsonObject(value) ? value[name] : undefined
  return typeof member === 'number' && Number.isFinite(member) ? member : undefined
}
