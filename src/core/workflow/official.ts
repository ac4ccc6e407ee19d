import { ErrorType } from '@actions/expressions/errors'
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token'
import type { TokenRange } from '@actions/workflow-parser/templates/tokens/token-range'
import type { MappingDefinition } from '@actions/workflow-parser/templates/schema/mapping-definition'
import type { Diagnostic, Range } from '#core/diagnostic.ts'
import { nearestName } from '#core/project/nearest.ts'
import type { SourceNode } from './source-node.ts'
import { sourceReader } from './source-reader.ts'

const fileStart: Range = { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } }

/**
 * What GitHub's own parser has to say about a workflow file: schema, where which context is allowed, conditions, needs.
 *
 * It is loaded on first use (it takes tens of milliseconds), and only its judgement is used. The values come from our
 * own reading of the file, because the parser builds expressions of multi-line texts from the raw YAML, with
 * indentation and quotes still in them. It reads our tree and not the text: see `sourceReader`.
 */
export async function officialDiagnostics(root: SourceNode, file: string): Promise<readonly Diagnostic[]> {
  const parser = await loadParser()
  const diagnostics: Diagnostic[] = []
  const schema = parser.getWorkflowSchema()
  const misses = new KeyMisses()
  const watched = Object.assign(Object.create(schema) as typeof schema, {
    matchPropertyAndFilter(definitions: MappingDefinition[], key: string) {
      const found = schema.matchPropertyAndFilter(definitions, key)
      misses.note(key, found === undefined ? definitions : [])
      return found
    },
  })
  const context = new parser.TemplateContext(
    new parser.TemplateValidationErrors(),
    watched,
    new parser.NoOperationTraceWriter(),
  )
  // Released in June 2026; the parser still takes it for an experiment.
  const featureFlags = new parser.FeatureFlags({ allowBackgroundSteps: true })
  context.state['featureFlags'] = featureFlags
  const report = context.error.bind(context)
  context.error = (token: TemplateToken | number | undefined, problem: unknown, range?: TokenRange) => {
    report(token as TemplateToken | undefined, problem as string, range)
    const place = range ?? (typeof token === 'object' ? token.range : undefined) ?? fileStart
    if (misses.explain(problem, place)) return
    const isConversionError = (value: unknown) => value instanceof parser.TemplateTokenError
    diagnostics.push({
      severity: 'error',
      file,
      range: place,
      ...explain(token, problem, { misses, place, isConversionError }),
    })
  }
  const fileId = context.getFileId(file)
  const reader = sourceReader(root, parser.tokens, fileId)
  const value = parser.readTemplate(context, parser.WORKFLOW_ROOT, reader, fileId)
  if (value !== undefined) {
    const { TryConversion } = parser.ErrorPolicy
    await parser.convertWorkflowTemplate(context, value, undefined, { errorPolicy: TryConversion, featureFlags })
  }
  return diagnostics
}

/** The keys that were allowed where the parser last met one that it does not know. */
class KeyMisses {
  #key: string | undefined
  #allowed: readonly string[] = []
  readonly #meant: { readonly name: string; readonly line: number }[] = []

  note(key: string, definitions: readonly MappingDefinition[]): void {
    const allowed = definitions.flatMap((definition) => Object.keys(definition.properties))
    this.#key = allowed.length === 0 ? undefined : key
    this.#allowed = [...new Set(allowed)]
  }

  /** The allowed keys if this text was the last unknown key, once. */
  take(key: string): readonly string[] | undefined {
    if (this.#key !== key) return undefined
    this.#key = undefined
    return this.#allowed
  }

  /** Remembers that an unknown key was probably meant as this one. */
  suggest(name: string, place: Range): void {
    this.#meant.push({ name, line: place.start.line })
  }

  /** Whether a problem only repeats that a key is missing which stands there with a mistake in its name. */
  explain(problem: unknown, place: Range): boolean {
    return this.#meant.some(
      ({ name, line }) =>
        problem === `Required property is missing: ${name}` && line >= place.start.line && line <= place.end.line,
    )
  }
}

interface Explaining {
  readonly misses: KeyMisses
  readonly place: Range
  readonly isConversionError: (value: unknown) => boolean
}

function explain(
  token: unknown,
  problem: unknown,
  { misses, place, isConversionError }: Explaining,
): Pick<Diagnostic, 'code' | 'message' | 'hint'> {
  const key = literalOf(token)
  const allowed = typeof problem === 'string' && key !== undefined ? misses.take(key) : undefined
  if (key !== undefined && allowed !== undefined) {
    const nearest = nearestName(key, allowed)
    if (nearest !== undefined) misses.suggest(nearest, place)
    const hint =
      nearest === undefined ? `Allowed here: ${allowed.toSorted().join(', ')}.` : `Did you mean "${nearest}"?`
    return { code: 'WORKFLOW_KEY_UNKNOWN', message: `Unexpected value '${key}'`, hint }
  }
  if (!(problem instanceof Error)) return { code: 'WORKFLOW_INVALID', message: String(problem) }
  // The parser reports the shape of a file as text or as conversion errors, and what lexer and parser of expressions
  // threw as it was thrown, always with a token.
  const isExpression = typeof token === 'object' && !isConversionError(problem)
  const code = isExpression ? 'EXPRESSION_INVALID' : 'WORKFLOW_INVALID'
  const hint = nameHint(problem)
  return { code, message: problem.message, ...(hint === undefined ? {} : { hint }) }
}

/** Contexts of GitHub's expressions. Which of them are known depends on the place in the file. */
const contexts = [
  'env',
  'github',
  'inputs',
  'job',
  'jobs',
  'matrix',
  'needs',
  'runner',
  'secrets',
  'steps',
  'strategy',
  'vars',
]

/** What may help whoever has named something that is not known at its place: the mistake that people make most often. */
function nameHint(problem: Error): string | undefined {
  if (!('typ' in problem) || problem.typ !== ErrorType.ErrorUnrecognizedContext) return undefined
  const token: unknown = 'tok' in problem ? problem.tok : undefined
  const name = typeof token === 'object' && token !== null && 'lexeme' in token ? String(token.lexeme) : ''
  if (name.toLowerCase() === 'secrets')
    return 'A secret is not known here: give it to `env` of the job or step, and ask for env.NAME in a step.'
  if (contexts.includes(name.toLowerCase())) return `The context "${name}" exists, but it is not known at this place.`
  const nearest = nearestName(name, contexts)
  return nearest === undefined ? `A text stands in single quotes: '${name}'.` : `Did you mean "${nearest}"?`
}

function literalOf(token: unknown): string | undefined {
  const value: unknown = typeof token === 'object' && token !== null && 'value' in token ? token.value : undefined
  return typeof value === 'string' ? value : undefined
}

/** The parts of the package, each from its own module: the package's entry loads twice as much. */
async function loadParser() {
  const [context, schema, constants, reader, convert, trace, token, tokens, features] = await Promise.all([
    import('@actions/workflow-parser/templates/template-context'),
    import('@actions/workflow-parser/workflows/workflow-schema'),
    import('@actions/workflow-parser/workflows/workflow-constants'),
    import('@actions/workflow-parser/templates/template-reader'),
    import('@actions/workflow-parser/model/convert'),
    import('@actions/workflow-parser/templates/trace-writer'),
    import('@actions/workflow-parser/templates/tokens/template-token'),
    import('@actions/workflow-parser/templates/tokens/index'),
    import('@actions/expressions/features'),
  ])
  return { ...context, ...schema, ...constants, ...reader, ...convert, ...trace, ...token, ...features, tokens }
}
