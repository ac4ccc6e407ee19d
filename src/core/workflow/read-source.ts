import type { Alias, LineCounter, Node, Pair, ParsedNode, Scalar, YAMLParseError } from 'yaml'
import type { Diagnostic, Parsed, Range } from '#core/diagnostic.ts'
import { aliasesMax, diagnosticsMax, fileLengthMax, nestingDepthMax, nodesMax } from './limits.ts'
import type { MapNode, ScalarNode, SourceNode } from './source-node.ts'

const fileStart: Range = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } }

/**
 * Reads a YAML 1.2 file into a tree that knows its places. It never throws: what is no YAML, too large, too deep or an
 * alias bomb comes back as diagnostics `YAML_INVALID` and `FILE_TOO_LARGE`.
 *
 * The `yaml` package is loaded on first use, so that a command that reads no YAML does not pay for it.
 */
export async function readSource({
  file,
  text,
  lengthMax = fileLengthMax,
}: {
  file: string
  text: string
  lengthMax?: number
}): Promise<Parsed<SourceNode>> {
  const fail = (range: Range, message: string, code = 'YAML_INVALID'): Parsed<SourceNode> => ({
    value: undefined,
    diagnostics: [{ severity: 'error', code, file, range, message }],
  })
  if (text.length > lengthMax) {
    return fail(fileStart, `The file has ${text.length} characters; ${lengthMax} are allowed.`, 'FILE_TOO_LARGE')
  }
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  try {
    const document = yaml.parseDocument(text, { lineCounter: lines, uniqueKeys: false, keepSourceTokens: true })
    const errors = document.errors.filter((error) => !isForgiven(error, text))
    if (errors.length > 0) return { value: undefined, diagnostics: syntaxErrors(errors, { file, text, lines }) }
    if (document.contents === null) return fail(fileStart, 'The file is empty.')
    const reading: Reading = { yaml, lines, anchors: new Map(), resolving: new Set(), nodes: 0, aliases: 0 }
    return { value: toSource(document.contents, reading, 0), diagnostics: [] }
  } catch (error) {
    if (error instanceof SourceProblem) return fail(error.range, error.message)
    if (error instanceof RangeError)
      return fail(fileStart, `The file is nested more than ${nestingDepthMax} levels deep.`)
    return fail(fileStart, `The file cannot be read: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

/** Ends the reading; caught by `readSource`. */
class SourceProblem extends Error {
  readonly range: Range
  constructor(message: string, range: Range) {
    super(message)
    this.range = range
  }
}

interface Reading {
  readonly yaml: typeof import('yaml')
  readonly lines: LineCounter
  readonly anchors: Map<string, Node>
  /** Anchored nodes on the way down, to see a circle. */
  readonly resolving: Set<Node>
  nodes: number
  aliases: number
}

function toSource(node: unknown, reading: Reading, depth: number): SourceNode {
  const { yaml } = reading
  const range = rangeOf(node as ParsedNode | null, reading.lines)
  if (++reading.nodes > nodesMax) throw new SourceProblem(`The file has more than ${nodesMax} values.`, range)
  if (depth > nestingDepthMax)
    throw new SourceProblem(`The file is nested more than ${nestingDepthMax} levels deep.`, range)
  if (yaml.isAlias(node)) return resolveAlias(node, reading, depth)
  if (yaml.isNode(node)) noteAnchor(node, reading)
  if (yaml.isSeq(node)) {
    return { kind: 'list', items: node.items.map((item) => toSource(item, reading, depth + 1)), range }
  }
  if (yaml.isMap(node)) return { kind: 'map', pairs: pairsOf(node.items, reading, depth), range }
  if (!yaml.isScalar(node)) return { kind: 'scalar', value: null, range }
  return { kind: 'scalar', value: readScalar(node, range), range, ...rawText(node, range) }
}

function pairsOf(items: readonly Pair[], reading: Reading, depth: number): MapNode['pairs'] {
  return items.map((pair) => {
    const key = toSource(pair.key, reading, depth + 1)
    if (key.kind !== 'scalar') throw new SourceProblem('A key must be a plain text.', key.range)
    return { key: asText(key), value: toSource(pair.value, reading, depth + 1) }
  })
}

function asText(key: ScalarNode): ScalarNode {
  return { ...key, value: key.value === null ? '' : String(key.value) }
}

function resolveAlias(alias: Alias, reading: Reading, depth: number): SourceNode {
  const range = rangeOf(alias as unknown as ParsedNode, reading.lines)
  if (++reading.aliases > aliasesMax) throw new SourceProblem(`Anchors are used more than ${aliasesMax} times.`, range)
  const target = reading.anchors.get(alias.source)
  if (target === undefined)
    throw new SourceProblem(`The anchor "${alias.source}" is not defined above this line.`, range)
  if (reading.resolving.has(target)) throw new SourceProblem(`The anchor "${alias.source}" contains itself.`, range)
  reading.resolving.add(target)
  const source = toSource(target, reading, depth)
  reading.resolving.delete(target)
  return source
}

function noteAnchor(node: Node, reading: Reading): void {
  const { anchor } = node as { anchor?: string }
  if (anchor !== undefined && anchor !== '') reading.anchors.set(anchor, node)
}

/** See `ScalarNode.source`; only texts with expressions keep it. */
function rawText(node: Scalar, range: Range): { source?: string } {
  const token = node.srcToken
  if (typeof node.value !== 'string' || !node.value.includes('${{') || token === undefined || !('source' in token))
    return {}
  const isBlock = token.type === 'block-scalar'
  return isBlock || range.start.line === range.end.line ? { source: token.source } : {}
}

const plainTags: ReadonlySet<string> = new Set(['str', 'int', 'float', 'bool', 'null'])

/** The value of a scalar; a written tag (`!!float 1`) must be one of YAML's core schema and fit the text. */
function readScalar(node: Scalar, range: Range): ScalarNode['value'] {
  const tag = node.tag?.replace(/^tag:yaml\.org,2002:/, '')
  if (tag === undefined || tag === '!') return scalarValue(node.value)
  if (!plainTags.has(tag)) throw new SourceProblem(`Unexpected tag '${node.tag}'`, range)
  const text = node.source ?? scalarText(node.value)
  if (tag === 'str') return text
  if (node.type !== 'PLAIN') throw new SourceProblem(`A quoted text cannot have the tag '${node.tag}'`, range)
  const value = taggedValue(tag, text)
  if (value === undefined) throw new SourceProblem(`The value '${text}' is invalid for the type '${node.tag}'`, range)
  return value
}

function scalarText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** A plain text read as a type of the core schema; undefined when it is no such value. */
function taggedValue(tag: string, text: string): ScalarNode['value'] | undefined {
  if (tag === 'null') return /^(?:~|null|Null|NULL|)$/.test(text) ? null : undefined
  if (tag === 'bool') return /^(?:true|True|TRUE|false|False|FALSE)$/.test(text) ? /^t/i.test(text) : undefined
  if (tag === 'float' && /^[-+]?\.inf$/i.test(text))
    return text.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (tag === 'float' && /^\.nan$/i.test(text)) return Number.NaN
  const isNumber =
    tag === 'int'
      ? /^(?:[-+]?\d+|0o[0-7]+|0x[0-9a-fA-F]+)$/.test(text)
      : /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)
  return isNumber ? Number(text) : undefined
}

function scalarValue(value: unknown): ScalarNode['value'] {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return typeof value === 'bigint' ? Number(value) : null
}

function rangeOf(node: ParsedNode | null, lines: LineCounter): Range {
  const range = node?.range
  if (range === undefined || range === null) return fileStart
  return { start: position(lines, range[0]), end: position(lines, range[1]) }
}

function position(lines: LineCounter, offset: number): Range['start'] {
  const { line, col } = lines.linePos(offset)
  return { line: Math.max(1, line), column: Math.max(1, col) }
}

/**
 * What is wrong with the form of the file. A mistake that breaks the structure makes the reader stumble over everything behind it: only the first
 * such place is told.
 */
function syntaxErrors(
  errors: readonly YAMLParseError[],
  source: { file: string; text: string; lines: LineCounter },
): Diagnostic[] {
  const { file, text, lines } = source
  const isBreak = (error: YAMLParseError): boolean => structureBreaks.has(error.code)
  const firstBreak = errors.find(isBreak)
  return errors
    .filter((error) => error === firstBreak || !isBreak(error))
    .slice(0, diagnosticsMax)
    .map((error) => {
      const hint = error === firstBreak ? quoteHint(text, error.pos[0]) : undefined
      return {
        severity: 'error',
        code: 'YAML_INVALID',
        file,
        range: { start: position(lines, error.pos[0]), end: position(lines, error.pos[1]) },
        message: ownWords[error.code] ?? plainMessage(error.message),
        ...(hint === undefined ? {} : { hint }),
      }
    })
}

/** `[a, b]# comment`: GitHub reads it, so do we. */
function isForgiven({ code, pos: [at] }: YAMLParseError, text: string): boolean {
  return code === 'MISSING_CHAR' && text[at] === '#' && /[\]}]/.test(text[at - 1] ?? '')
}

/** Errors after which nothing that follows can be believed. */
const structureBreaks: ReadonlySet<YAMLParseError['code']> = new Set([
  'BAD_INDENT',
  'BLOCK_AS_IMPLICIT_KEY',
  'BLOCK_IN_FLOW',
  'MISSING_CHAR',
  'MULTILINE_IMPLICIT_KEY',
  'TAB_AS_INDENT',
  'UNEXPECTED_TOKEN',
])

/** The most frequent mistake: an expression without quotes between brackets. */
function quoteHint(text: string, offset: number): string | undefined {
  const line = text.slice(text.lastIndexOf('\n', offset - 1) + 1, offset)
  return /[{[].*\$\{?$/.test(line) ? 'Between { } or [ ], put a text with ${{ … }} in quotes.' : undefined
}

/** Where the package speaks of itself instead of the file. */
const ownWords: Partial<Record<string, string>> = {
  MULTIPLE_DOCS: 'A workflow file holds one document; another one begins here.',
  RESOURCE_EXHAUSTION: `The file is nested more than ${nestingDepthMax} levels deep.`,
}

/** The package appends the place and a drawing; the place is in the range. */
function plainMessage(message: string): string {
  return message.split(/ at line \d+/)[0]?.split('\n')[0] ?? message
}
