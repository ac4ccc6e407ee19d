import type { Range } from '#core/diagnostic.ts'

/** A YAML file as a plain tree: aliases are resolved, every node knows its place. */
export type SourceNode = ScalarNode | ListNode | MapNode

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  readonly range: Range
  /**
   * The text as the file writes it, where an expression's place can be found in it: quoted on one line, or a block.
   * It is never executed: indentation and quotes are still in it.
   */
  readonly source?: string
}

export interface ListNode {
  readonly kind: 'list'
  readonly items: readonly SourceNode[]
  readonly range: Range
}

export interface MapNode {
  readonly kind: 'map'
  readonly pairs: readonly { readonly key: ScalarNode; readonly value: SourceNode }[]
  readonly range: Range
}

/** The value under a key; undefined when the node is no mapping or has no such key. */
export function memberOf(node: SourceNode | undefined, key: string): SourceNode | undefined {
  if (node?.kind !== 'map') return undefined
  return node.pairs.find((pair) => pair.key.value === key)?.value
}

/** The text of a scalar as the file means it; undefined for null, lists and mappings. */
export function textOf(node: SourceNode | undefined): string | undefined {
  return node?.kind !== 'scalar' || node.value === null ? undefined : String(node.value)
}

/** The texts of a list, or of a single text in its place. */
export function textsOf(node: SourceNode | undefined): readonly string[] {
  if (node?.kind === 'list') return node.items.map((item) => textOf(item) ?? '')
  const text = textOf(node)
  return text === undefined ? [] : [text]
}
