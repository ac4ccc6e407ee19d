import type { Diagnostic } from '#core/diagnostic.ts'
import { renderDiagnostic } from '#core/diagnostic.ts'
import { KnownError } from '#core/errors.ts'

/** `shipway.yml` has mistakes; the details show each with its place. */
export function projectInvalid(fact: {
  readonly file: string
  readonly text: string
  readonly diagnostics: readonly Diagnostic[]
}): KnownError {
  const errors = fact.diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  return new KnownError({
    code: 'PROJECT_INVALID',
    kind: 'usage',
    message: `${fact.file} has ${errors.length === 1 ? 'a mistake' : `${errors.length} mistakes`}.`,
    hint: 'Correct the lines above and check with `shipway lint`.',
    details: fact.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, fact.text)),
  })
}

/** The newest rules cannot be read, so nothing is brought forward under older ones. */
export function rulesInvalid(fact: {
  readonly sha: string
  readonly branch: string
  readonly text: string
  readonly diagnostics: readonly Diagnostic[]
}): KnownError {
  const errors = fact.diagnostics.filter((diagnostic) => diagnostic.severity === 'error')
  return new KnownError({
    code: 'RULES_INVALID',
    kind: 'usage',
    message: `shipway.yml of ${fact.sha.slice(0, 7)}, the newest commit of ${fact.branch}, has ${errors.length === 1 ? 'a mistake' : `${errors.length} mistakes`}: nobody can tell which rules hold.`,
    hint: `Correct it on ${fact.branch} (\`shipway lint\` checks it). \`shipway rollback\` and \`shipway lock\` work meanwhile, by the rules before.`,
    details: fact.diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, fact.text)),
  })
}

/** The store knows no application of this name. */
export function applicationNotFound(fact: {
  readonly application: string
  readonly known: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'APPLICATION_NOT_FOUND',
    kind: 'usage',
    message: `There is no application "${fact.application}"${fact.known.length === 0 ? '' : ` (known: ${fact.known.join(', ')})`}.`,
    hint: 'An application is known after its first `shipway run`, or a `shipway deploy` inside its repository.',
  })
}

/** Two repositories with one `name` in one home. */
export function applicationOfOtherRepository(fact: {
  readonly application: string
  readonly known: string
  readonly repository: string
}): KnownError {
  return new KnownError({
    code: 'APPLICATION_OF_OTHER_REPOSITORY',
    kind: 'refused',
    message: `"${fact.application}" is the application of ${fact.known} in this home, and ${fact.repository} is another repository: they would share rules, environments and releases.`,
    hint: 'Give this one another "name" in shipway.yml, or another home with `--home DIR`.',
  })
}
