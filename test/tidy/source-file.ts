import { parseSync } from 'rolldown/utils'

/** What the tidy checks need to know about one TypeScript file. */
export interface SourceFile {
  /** Below the repository's root, with `/`. */
  readonly path: string
  readonly lines: number
  readonly imports: readonly Import[]
  readonly functions: readonly FunctionSize[]
}

/** `import`, `export … from`, `import()` and the type `import('…')`: types tie files together just as values do. */
export interface Import {
  readonly specifier: string
  readonly line: number
  /** `import()`: nothing is loaded until the line runs. */
  readonly isLazy: boolean
}

export interface FunctionSize {
  readonly name: string
  readonly lines: number
}

/** Reads a file's imports and functions from its syntax tree. A file that does not parse is a failure of the check. */
export function parseSourceFile(path: string, text: string): SourceFile {
  const { program, errors } = parseSync(path, text, { lang: 'ts' })
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`)

  const lineOf = lineCounter(text)
  const imports: Import[] = []
  const functions: FoundFunction[] = []
  visit(program, undefined, (node, name, isOwnName) => {
    if (importingNodes.has(node.type) && isText(node['source'])) {
      const isLazy = node.type === 'ImportExpression'
      imports.push({ specifier: node['source'].value, line: lineOf(node.start), isLazy })
    }
    if (functionNodes.has(node.type)) {
      functions.push({
        name: name ?? 'callback',
        isNamed: isOwnName,
        first: lineOf(node.start),
        last: lineOf(node.end),
      })
    }
  })
  return {
    path,
    lines: text.split('\n').length - 1,
    imports,
    functions: functions.map((found) => ({ name: found.name, lines: ownLines(found, functions) })),
  }
}

interface FoundFunction {
  readonly name: string
  /** It has a name of its own: a declaration, a method, `const f = () => …`. */
  readonly isNamed: boolean
  readonly first: number
  readonly last: number
}

/** Lines without those of named functions inside: they are measured by themselves, callbacks are not. */
function ownLines(outer: FoundFunction, all: readonly FoundFunction[]): number {
  const inside = all.filter(
    (inner) => inner.isNamed && inner !== outer && inner.first >= outer.first && inner.last <= outer.last,
  )
  const covered = new Set(
    inside.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at)),
  )
  return outer.last - outer.first + 1 - covered.size
}

/** A node of the syntax tree, as far as a walk needs it. */
export interface SyntaxNode {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

type See = (node: SyntaxNode, name: string | undefined, isOwnName: boolean) => void

/** Calls `see` for every node with its name, or with that of the nearest thing around it. */
export function visit(node: unknown, outerName: string | undefined, see: See, givenName?: string): void {
  if (Array.isArray(node)) {
    for (const item of node) visit(item, outerName, see)
  } else if (isNode(node)) {
    const ownName = nameOf(node) ?? givenName
    see(node, ownName ?? outerName, ownName !== undefined)
    // `const f = () => …` and `f: () => …` give their name to the function.
    for (const [key, value] of Object.entries(node)) {
      visit(value, ownName ?? outerName, see, key === 'init' || key === 'value' ? ownName : undefined)
    }
  }
}

const importingNodes = new Set([
  'ImportDeclaration',
  'ExportNamedDeclaration',
  'ExportAllDeclaration',
  'ImportExpression',
  'TSImportType',
])
const functionNodes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

function isText(value: unknown): value is { readonly value: string } {
  return typeof value === 'object' && value !== null && 'value' in value && typeof value.value === 'string'
}

function nameOf(node: SyntaxNode): string | undefined {
  const named = node['id'] ?? node['key']
  return isNode(named) && typeof named['name'] === 'string' ? named['name'] : undefined
}

function lineCounter(text: string): (offset: number) => number {
  const starts = Array.from(text.matchAll(/\n/g), (match) => match.index + 1)
  return (offset) => starts.filter((start) => start <= offset).length + 1
}
