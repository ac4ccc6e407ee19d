import type { Diagnostic, Range } from '#core/diagnostic.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'

/**
 * Takes back what the parser package says and GitHub does not: an empty `inputs:` or an empty input of
 * `workflow_dispatch` is fine, and an unknown key there is ignored (here: a warning). `repository_dispatch` as a mere name is an
 * event, which the package's schema spells wrong.
 */
export function forgive(root: SourceNode, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return forgiveInputs(root, forgiveNames(memberOf(root, 'on'), diagnostics))
}

function forgiveNames(on: SourceNode | undefined, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const names = on?.kind === 'list' ? on.items : [on]
  const misspelt = places(names.filter((node) => textOf(node) === 'repository_dispatch'))
  return misspelt.size === 0 ? diagnostics : diagnostics.filter(({ range }) => !misspelt.has(placeOf(range)))
}

function forgiveInputs(root: SourceNode, diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const dispatch = memberOf(memberOf(root, 'on'), 'workflow_dispatch')
  if (dispatch?.kind !== 'map') return diagnostics
  const inputs = memberOf(dispatch, 'inputs')
  const children = inputs?.kind === 'map' ? inputs.pairs.map((pair) => pair.value) : []
  const empty = places([inputs, ...children].filter((node) => node?.kind === 'scalar' && node.value === null))
  const ignored = places(dispatch.pairs.map((pair) => pair.key))
  return diagnostics.flatMap((diagnostic): readonly Diagnostic[] => {
    const place = placeOf(diagnostic.range)
    if (empty.has(place)) return []
    const isIgnored = diagnostic.code === 'WORKFLOW_KEY_UNKNOWN' && ignored.has(place)
    return [isIgnored ? { ...diagnostic, severity: 'warning' } : diagnostic]
  })
}

function places(nodes: readonly (SourceNode | undefined)[]): ReadonlySet<string> {
  return new Set(nodes.filter((node) => node !== undefined).map((node) => placeOf(node.range)))
}

function placeOf(range: Range): string {
  return `${range.start.line}:${range.start.column}`
}
