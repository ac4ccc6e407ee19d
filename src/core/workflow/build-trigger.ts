import type { InputModel, ScheduleModel, Template, TriggerModel } from './model.ts'
import { memberOf, textOf, textsOf } from './source-node.ts'
import type { MapNode, SourceNode } from './source-node.ts'
import { toJson, toTemplate } from './to-template.ts'
import type { TemplateObserver } from './to-template.ts'

/** `on:` as a list of triggers: a name, a list of names, or a mapping with filters. */
export function buildTriggers(node: SourceNode | undefined, observer: TemplateObserver = {}): readonly TriggerModel[] {
  if (node === undefined) return []
  if (node.kind === 'map') return node.pairs.map(({ key, value }) => buildTrigger(String(key.value), value, observer))
  return textsOf(node).map((event) => ({ event }))
}

function buildTrigger(event: string, node: SourceNode, observer: TemplateObserver): TriggerModel {
  if (event === 'schedule') {
    return { event, schedules: node.kind === 'list' ? node.items.map(buildSchedule) : [] }
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
    ...inputsOf(memberOf(node, 'inputs'), event === 'workflow_call' ? (part) => toTemplate(part, observer) : toJson),
    ...(event === 'workflow_call' ? callParts(node, observer) : {}),
  }
}

function callParts(node: SourceNode, observer: TemplateObserver): Pick<TriggerModel, 'secrets' | 'outputs'> {
  const secrets = memberOf(node, 'secrets')
  const outputs = memberOf(node, 'outputs')
  return {
    ...(secrets?.kind !== 'map' ? {} : { secrets: members(secrets, (part) => ({ required: isRequired(part) })) }),
    ...(outputs?.kind !== 'map' ? {} : { outputs: members(outputs, (part) => outputValue(part, observer)) }),
  }
}

function outputValue(node: SourceNode, observer: TemplateObserver): Template {
  const value = memberOf(node, 'value')
  return value === undefined ? '' : toTemplate(value, observer)
}

function members<T>(node: MapNode, read: (part: SourceNode) => T): Record<string, T> {
  return Object.fromEntries(node.pairs.map(({ key, value }) => [String(key.value), read(value)]))
}

function buildSchedule(node: SourceNode): ScheduleModel {
  const timezone = textOf(memberOf(node, 'timezone'))
  return { cron: textOf(memberOf(node, 'cron')) ?? '', ...(timezone === undefined ? {} : { timezone }) }
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

function inputsOf(node: SourceNode | undefined, read: (part: SourceNode) => Template): Pick<TriggerModel, 'inputs'> {
  return node?.kind === 'map' ? { inputs: members(node, (part) => buildInput(part, read)) } : {}
}

const inputTypes: ReadonlySet<string> = new Set<InputModel['type']>([
  'string',
  'boolean',
  'number',
  'choice',
  'environment',
])

function buildInput(node: SourceNode, read: (part: SourceNode) => Template): InputModel {
  const type = textOf(memberOf(node, 'type')) ?? 'string'
  const description = textOf(memberOf(node, 'description'))
  const options = memberOf(node, 'options')
  const initial = memberOf(node, 'default')
  return {
    type: inputTypes.has(type) ? (type as InputModel['type']) : 'string',
    required: isRequired(node),
    ...(description === undefined ? {} : { description }),
    ...(initial === undefined ? {} : { default: read(initial) }),
    ...(options === undefined ? {} : { options: textsOf(options) }),
  }
}

function isRequired(node: SourceNode): boolean {
  return textOf(memberOf(node, 'required')) === 'true'
}
