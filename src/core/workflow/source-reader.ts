import type { ObjectReader } from '@actions/workflow-parser/templates/object-reader'
import type { LiteralToken, MappingToken, SequenceToken } from '@actions/workflow-parser/templates/tokens/index'
import type { ScalarNode, SourceNode } from './source-node.ts'

/** The token classes of the parser package; given, because the package is loaded on first use. */
export type TokenClasses = typeof import('@actions/workflow-parser/templates/tokens/index')

type ReaderEvent =
  | { readonly kind: 'literal'; readonly token: LiteralToken }
  | { readonly kind: 'list'; readonly token: SequenceToken }
  | { readonly kind: 'map'; readonly token: MappingToken }
  | { readonly kind: 'list-end' | 'map-end' }

/**
 * Lets GitHub's parser read a tree that we have already read, instead of the text. So YAML is parsed once, our limits
 * hold for it too (its own reader has none: aliases can keep it busy for minutes), and both mean the same file.
 */
export function sourceReader(root: SourceNode, tokens: TokenClasses, fileId: number): ObjectReader {
  const events = eventsOf(root, tokens, fileId)
  let current = events.next()
  const take = <Kind extends ReaderEvent['kind']>(kind: Kind): (ReaderEvent & { kind: Kind }) | undefined => {
    const event = current.done === true ? undefined : current.value
    if (event?.kind !== kind) return undefined
    current = events.next()
    return event as ReaderEvent & { kind: Kind }
  }
  return {
    allowLiteral: () => take('literal')?.token,
    allowSequenceStart: () => take('list')?.token,
    allowSequenceEnd: () => take('list-end') !== undefined,
    allowMappingStart: () => take('map')?.token,
    allowMappingEnd: () => take('map-end') !== undefined,
    validateStart: () => undefined,
    validateEnd: () => undefined,
  }
}

function* eventsOf(node: SourceNode, tokens: TokenClasses, fileId: number): Generator<ReaderEvent, undefined> {
  switch (node.kind) {
    case 'scalar':
      yield { kind: 'literal', token: literal(node, tokens, fileId) }
      return
    case 'list':
      yield { kind: 'list', token: new tokens.SequenceToken(fileId, node.range, undefined) }
      for (const item of node.items) yield* eventsOf(item, tokens, fileId)
      yield { kind: 'list-end' }
      return
    case 'map':
      yield { kind: 'map', token: new tokens.MappingToken(fileId, node.range, undefined) }
      for (const { key, value } of node.pairs) {
        yield { kind: 'literal', token: literal(key, tokens, fileId) }
        yield* eventsOf(value, tokens, fileId)
      }
      yield { kind: 'map-end' }
  }
}

function literal(node: ScalarNode, tokens: TokenClasses, fileId: number): LiteralToken {
  const { value, range, source } = node
  switch (typeof value) {
    case 'string':
      return new tokens.StringToken(fileId, range, value, undefined, source)
    case 'number':
      return new tokens.NumberToken(fileId, range, value, undefined)
    case 'boolean':
      return new tokens.BooleanToken(fileId, range, value, undefined)
    default:
      return new tokens.NullToken(fileId, range, undefined)
  }
}
