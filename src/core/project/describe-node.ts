import { isMap, isScalar, isSeq } from 'yaml'

/** What stands at a place, in the words of a message. */
export function describe(node: unknown): string {
  if (isMap(node)) return 'a mapping'
  if (isSeq(node)) return 'a list'
  if (!isScalar(node) || node.value === null || node.value === undefined) return 'empty'
  const text = node.source ?? JSON.stringify(node.value)
  return `"${text.length > 60 ? `${text.slice(0, 60)}…` : text}"`
}
