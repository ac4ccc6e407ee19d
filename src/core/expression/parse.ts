import {
  Binary,
  ContextAccess,
  FunctionCall,
  Grouping,
  IndexAccess,
  Literal,
  Logical,
  Star,
  Unary,
} from '@actions/expressions/ast'
import type { Expr } from '@actions/expressions/ast'
import { Lexer, TokenType } from '@actions/expressions/lexer'
import type { Token } from '@actions/expressions/lexer'
import { Parser } from '@actions/expressions/parser'
import { expressionInvalid } from '#core/known/workflow.ts'
import { expressionLengthMax, parseCacheSizeMax } from './limits.ts'
import { childrenOf } from './node.ts'
import type { Comparison, ComparisonStep, ExpressionNode } from './node.ts'

/** An expression that was read once: its tree (undefined for blank text) and the names that it uses: lower case → as written. */
export interface ParsedExpression {
  readonly tree: ExpressionNode | undefined
  readonly contexts: ReadonlyMap<string, string>
  readonly functions: ReadonlyMap<string, string>
}

/** Functions that the caller brings in its scope; the argument counts are those of GitHub's schema. */
const scopeFunctions = [
  { name: 'success', minArgs: 0, maxArgs: Number.MAX_SAFE_INTEGER },
  { name: 'failure', minArgs: 0, maxArgs: Number.MAX_SAFE_INTEGER },
  { name: 'always', minArgs: 0, maxArgs: 0 },
  { name: 'cancelled', minArgs: 0, maxArgs: 0 },
  { name: 'hashFiles', minArgs: 1, maxArgs: 255 },
]

const cache = new Map<string, ParsedExpression>()

/**
 * Reads an expression (without `${{ }}`) with GitHub's own lexer and parser. Every context name is accepted here: which
 * ones exist is the business of the scope. Throws `EXPRESSION_INVALID`.
 */
export function parseExpression(source: string): ParsedExpression {
  const known = cache.get(source)
  if (known !== undefined) return known
  const parsed = parseAnew(source)
  if (cache.size >= parseCacheSizeMax) cache.clear()
  cache.set(source, parsed)
  return parsed
}

function parseAnew(source: string): ParsedExpression {
  if (source.length > expressionLengthMax) {
    throw expressionInvalid({ source, problem: `Exceeded max expression length ${expressionLengthMax}` })
  }
  try {
    const { tokens } = new Lexer(source).lex()
    const identifiers: string[] = []
    for (const token of tokens) {
      if (token.type === TokenType.IDENTIFIER) identifiers.push(token.lexeme)
      else if (token.type === TokenType.STRING) repairString(token)
    }
    const expr = new Parser(tokens, identifiers, scopeFunctions).parse() as Expr | undefined
    const tree = expr === undefined ? undefined : toNode(expr)
    return { tree, ...namesIn(tree) }
  } catch (error) {
    throw expressionInvalid({ source, problem: error instanceof Error ? error.message : String(error) })
  }
}

/** The package's lexer undoubles only the first `''` of a text; a script with several quotes would come out wrong. */
function repairString(token: Token): void {
  token.value = token.lexeme.slice(1, -1).replaceAll("''", "'")
}

function toNode(expr: Expr): ExpressionNode {
  if (expr instanceof Literal) return { kind: 'literal', value: literalValue(expr.token) }
  if (expr instanceof ContextAccess) return { kind: 'context', name: expr.name.lexeme }
  if (expr instanceof Grouping) return toNode(expr.group)
  if (expr instanceof Unary) return { kind: 'not', operand: toNode(expr.expr) }
  if (expr instanceof FunctionCall) {
    return { kind: 'call', name: expr.functionName.lexeme, args: expr.args.map((arg) => toNode(arg)) }
  }
  if (expr instanceof Logical) {
    return { kind: expr.operator.type === TokenType.AND ? 'and' : 'or', operands: expr.args.map((arg) => toNode(arg)) }
  }
  if (expr instanceof IndexAccess) {
    const target = toNode(expr.expr)
    return expr.index instanceof Star
      ? { kind: 'filter', target }
      : { kind: 'index', target, index: toNode(expr.index) }
  }
  if (expr instanceof Binary) return toComparison(expr)
  throw new Error(`Invariant broken: unknown kind of expression ${expr.constructor.name}`)
}

/** A key after a dot is a literal with the token of an identifier; every other literal token carries its value. */
function literalValue(token: Token): string | number | boolean | null {
  switch (token.type) {
    case TokenType.TRUE:
      return true
    case TokenType.FALSE:
      return false
    case TokenType.NULL:
      return null
    case TokenType.NUMBER:
    case TokenType.STRING:
      return token.value ?? null
    default:
      return token.lexeme
  }
}

function toComparison(last: Binary): ExpressionNode {
  const rest: ComparisonStep[] = []
  let expr: Expr = last
  while (expr instanceof Binary) {
    rest.push({ operator: expr.operator.lexeme as Comparison, operand: toNode(expr.right) })
    expr = expr.left
  }
  return { kind: 'compare', first: toNode(expr), rest: rest.toReversed() }
}

function namesIn(tree: ExpressionNode | undefined): Omit<ParsedExpression, 'tree'> {
  const contexts = new Map<string, string>()
  const functions = new Map<string, string>()
  const open = tree === undefined ? [] : [tree]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.kind === 'context') contexts.set(node.name.toLowerCase(), node.name)
    if (node.kind === 'call') functions.set(node.name.toLowerCase(), node.name)
    for (const child of childrenOf(node)) open.push(child)
  }
  return { contexts, functions }
}
