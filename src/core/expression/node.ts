/** `==`, `!=` and the comparisons. */
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>='

/**
 * An expression as a tree of plain data. Groups are gone, and a run of comparisons (`a == b == c`, which reads from the
 * left) is one node with a list, so that no tree is deeper than the parser's limit of 50.
 */
export type ExpressionNode =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'context'; readonly name: string }
  | { readonly kind: 'index'; readonly target: ExpressionNode; readonly index: ExpressionNode }
  | { readonly kind: 'filter'; readonly target: ExpressionNode }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly ExpressionNode[] }
  | { readonly kind: 'not'; readonly operand: ExpressionNode }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly ExpressionNode[] }
  | { readonly kind: 'compare'; readonly first: ExpressionNode; readonly rest: readonly ComparisonStep[] }

export interface ComparisonStep {
  readonly operator: Comparison
  readonly operand: ExpressionNode
}

/** The nodes directly below a node. */
export function childrenOf(node: ExpressionNode): readonly ExpressionNode[] {
  switch (node.kind) {
    case 'literal':
    case 'context':
      return []
    case 'index':
      return [node.target, node.index]
    case 'filter':
      return [node.target]
    case 'call':
      return node.args
    case 'not':
      return [node.operand]
    case 'and':
    case 'or':
      return node.operands
    case 'compare':
      return [node.first, ...node.rest.map((step) => step.operand)]
  }
}
