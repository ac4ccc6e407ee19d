import type { Range } from '#core/diagnostic.ts'
import type { Json } from '#core/json.ts'
import type { Template } from './model.ts'
import type { MapNode, ScalarNode, SourceNode } from './source-node.ts'
import { splitExpression } from './split-expression.ts'

/** Told about every text whose expressions cannot be separated, and about every expression that was found. */
export interface TemplateObserver {
  readonly onProblem?: (range: Range, problem: string) => void
  readonly onExpression?: (range: Range, source: string) => void
}

/** A part of a file as a template (see `model.ts`); aliases are already resolved. */
export function toTemplate(node: SourceNode, observer: TemplateObserver = {}): Template {
  switch (node.kind) {
    case 'scalar':
      return scalarTemplate(node, observer)
    case 'list':
      return node.items.map((item) => toTemplate(item, observer))
    case 'map':
      return mapTemplate(node, observer)
  }
}

/** A part of a file in which expressions have no meaning. */
export function toJson(node: SourceNode): Json {
  switch (node.kind) {
    case 'scalar':
      return node.value
    case 'list':
      return node.items.map((item) => toJson(item))
    case 'map':
      return Object.fromEntries(node.pairs.map(({ key, value }) => [String(key.value), toJson(value)]))
  }
}

function scalarTemplate(node: ScalarNode, observer: TemplateObserver): Template {
  if (typeof node.value !== 'string') return node.value
  const { template, problem } = splitExpression(node.value)
  if (problem !== undefined) observer.onProblem?.(node.range, problem)
  if (isExpression(template) && template.$expr !== 'insert') observer.onExpression?.(node.range, template.$expr)
  return template
}

function mapTemplate(node: MapNode, observer: TemplateObserver): Template {
  const pairs = node.pairs.map(({ key, value }): readonly [Template, Template] => [
    scalarTemplate(key, observer),
    toTemplate(value, observer),
  ])
  if (pairs.some(([key]) => typeof key !== 'string' || key === '$expr' || key === '$map')) return { $map: pairs }
  return Object.fromEntries(pairs)
}

function isExpression(template: Template): template is { readonly $expr: string } {
  return typeof template === 'object' && template !== null && '$expr' in template
}
