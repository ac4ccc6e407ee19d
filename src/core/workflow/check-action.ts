import { nearestName } from '#core/project/nearest.ts'
import type { Report } from './report.ts'
import type { SourceNode } from './source-node.ts'

/** Which keys a mapping may have: each leads to the schema of its value, `any` takes everything below it. */
export type KeySchema = 'any' | { readonly [key: string]: KeySchema }

/** Keys of `action.yml` (`actions/runner action_yaml.json`); `runs` holds those of all three kinds. */
export const actionSchema: KeySchema = {
  name: 'any',
  author: 'any',
  description: 'any',
  inputs: { '*': { description: 'any', required: 'any', default: 'any', deprecationMessage: 'any', type: 'any' } },
  outputs: { '*': { description: 'any', value: 'any' } },
  runs: {
    using: 'any',
    steps: 'any',
    main: 'any',
    pre: 'any',
    'pre-if': 'any',
    post: 'any',
    'post-if': 'any',
    image: 'any',
    entrypoint: 'any',
    'pre-entrypoint': 'any',
    'post-entrypoint': 'any',
    args: 'any',
    env: 'any',
  },
  branding: 'any',
}

/** Keys of a step of a composite action. */
export const stepSchema: KeySchema = {
  name: 'any',
  id: 'any',
  if: 'any',
  run: 'any',
  uses: 'any',
  with: 'any',
  env: 'any',
  shell: 'any',
  'working-directory': 'any',
  'continue-on-error': 'any',
}

/** Reports keys that are unknown, written twice, or stand where a mapping should. */
export function checkKeys(node: SourceNode, schema: KeySchema, report: Report): void {
  if (schema === 'any') return
  if (node.kind !== 'map') {
    if (node.kind === 'list' || node.value !== null) report(node.range, 'ACTION_INVALID', 'A mapping was expected.')
    return
  }
  const seen = new Set<string>()
  for (const { key, value } of node.pairs) {
    const name = String(key.value)
    if (seen.has(name.toLowerCase())) report(key.range, 'ACTION_INVALID', `'${name}' is already defined`)
    seen.add(name.toLowerCase())
    const next = schema[name] ?? schema['*']
    if (next !== undefined) checkKeys(value, next, report)
    else report(key.range, 'ACTION_KEY_UNKNOWN', `Unexpected value '${name}'`, hintFor(name, Object.keys(schema)))
  }
}

function hintFor(name: string, allowed: readonly string[]): string {
  const nearest = nearestName(name, allowed)
  return nearest === undefined ? `Allowed here: ${allowed.toSorted().join(', ')}.` : `Did you mean "${nearest}"?`
}
