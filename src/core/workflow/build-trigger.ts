import type { InputModel, TriggerModel } from './model.ts'
import { memberOf, textOf, textsOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'
import { toJson } from './to-template.ts'

/** `on:` as a list of triggers: a name, a list of names, or a mapping with filters. */
export function buildTriggers(node: SourceNode | undefined): readonly TriggerModel[] {
  if (node === undefined) return []
  if (node.kind === 'map') return node.pairs.map(({ key, value }) => buildTrigger(String(key.value), value))
  return textsOf(node).map((event) => ({ event }))
}

function buildTrigger(event: string, node: SourceNode): TriggerModel {
  if (event === 'schedule') {
    const crons = node.kind === 'list' ? node.items.map((item) => textOf(memberOf(item, 'cron')) ?? '') : []
    return { event, crons }
  }
  return {
    event,
    ...filters(node, {
      branches: 'branches',
      branchesIgnore: 'branches-ignore',
      tags: 'tags',
      tagsIgnore: 'tags-ignore',
      paths: 'paths',
      pathsIgnore: 'paths-ignore',
      types: 'types',
      workflows: 'workflows',
    }),
    ...inputsOf(memberOf(node, 'inputs')),
  }
}

function filters<Name extends string>(
  node: SourceNode,
  keys: Readonly<Record<Name, string>>,
): Partial<Record<Name, readonly string[]>> {
  const found: [string, readonly string[]][] = []
  for (const [name, key] of Object.entries<string>(keys)) {
    const member = memberOf(node, key)
    if (member !== undefined) found.push([name, textsOf(member)])
  }
  return Object.fromEntries(found) as Partial<Record<Name, readonly string[]>>
}

function inputsOf(node: SourceNode | undefined): Pick<TriggerModel, 'inputs'> {
  if (node?.kind !== 'map') return {}
  return { inputs: Object.fromEntries(node.pairs.map(({ key, value }) => [String(key.value), buildInput(value)])) }
}

const inputTypes: ReadonlySet<string> = new Set<InputModel['type']>([
  'string',
  'boolean',
  'number',
  'choice',
  'environment',
])

function buildInput(node: SourceNode): InputModel {
  const type = textOf(memberOf(node, 'type')) ?? 'string'
  const description = textOf(memberOf(node, 'description'))
  const options = memberOf(node, 'options')
  const initial = memberOf(node, 'default')
  return {
    type: inputTypes.has(type) ? (type as InputModel['type']) : 'string',
    required: textOf(memberOf(node, 'required')) === 'true',
    ...(description === undefined ? {} : { description }),
    ...(initial === undefined ? {} : { default: toJson(initial) }),
    ...(options === undefined ? {} : { options: textsOf(options) }),
  }
}
