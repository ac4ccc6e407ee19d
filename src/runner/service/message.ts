import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { serviceRequestInvalid } from '#core/known/service.ts'

/**
 * A field of a message in the JSON form of protocol buffers: both spellings of its name are allowed, a wrapped text is
 * the text itself (or, from clients that spell the wrapper out, its `value`), and a 64-bit number is a text.
 */
export function textField(message: JsonObject, name: string): string {
  const value = field(message, name)
  const plain = isJsonObject(value) ? value['value'] : value
  if (plain === undefined || plain === null) return ''
  if (typeof plain === 'string') return plain
  if (typeof plain === 'number' && Number.isSafeInteger(plain)) return String(plain)
  throw serviceRequestInvalid({ problem: `The field ${name} of the call is not a text` })
}

/** A 64-bit number that must be there. */
export function sizeField(message: JsonObject, name: string): number {
  const text = textField(message, name)
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw serviceRequestInvalid({ problem: `The field ${name} of the call is not a size` })
}

/** Texts; none when the field is not there. */
export function textsField(message: JsonObject, name: string): readonly string[] {
  const value = field(message, name) ?? []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw serviceRequestInvalid({ problem: `The field ${name} of the call is not a list of texts` })
}

function field(message: JsonObject, name: string): Json | undefined {
  const camel = name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())
  return message[name] ?? message[camel]
}
