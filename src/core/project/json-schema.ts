import type { JsonObject } from '#core/json.ts'
import { unreachable } from '#core/unreachable.ts'
import type { Field, FieldSpec, Fields } from './field.ts'
import { projectFields } from './schema.ts'

const duration = '^(?:[0-9]{1,9}(?:ms|s|m|h|d))+$'

/** The JSON Schema of `shipway.yml` for editors, from the same table that the parser reads. */
export function projectJsonSchema(): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'shipway.yml',
    description: 'Where an application runs, and what must be true before a release may go there.',
    ...groupSchema(projectFields),
    patternProperties: { '^x-': { description: 'A place for anchors that other keys refer to.' } },
  }
}

function fieldSchema({ spec, help }: Field): JsonObject {
  return { description: help, ...specSchema(spec) }
}

function specSchema(spec: FieldSpec): JsonObject {
  switch (spec.kind) {
    case 'text':
      return { type: ['string', 'number'], examples: [spec.example] }
    case 'texts':
      return {
        anyOf: [{ type: ['string', 'number'] }, { type: 'array', items: { type: ['string', 'number'] } }],
        examples: [[spec.example]],
      }
    case 'duration':
      return { type: 'string', pattern: duration, examples: ['60s'] }
    case 'whole':
      return { type: 'integer', minimum: spec.min, maximum: spec.max }
    case 'boolean':
      return { type: 'boolean' }
    case 'choice':
      return { type: 'string', enum: spec.of }
    case 'variables':
      return {
        type: 'object',
        propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$' },
        additionalProperties: { type: ['string', 'number', 'boolean'] },
      }
    case 'platforms':
      return {
        type: 'object',
        additionalProperties: { type: 'string', pattern: String.raw`^(?:host|docker:\S+)$` },
        examples: [{ 'windows-latest': 'host', gpu: 'docker:ghcr.io/acme/gpu:1' }],
      }
    case 'targets': {
      const target = { anyOf: [{ type: 'string' }, groupSchema(spec.fields)] }
      return { anyOf: [...target.anyOf, { type: 'array', minItems: 1, items: target }] }
    }
    case 'group':
      return shortSchema(spec)
    case 'groups':
      return { type: 'array', items: groupSchema(spec.fields) }
    case 'named':
      return {
        type: 'object',
        propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' },
        additionalProperties: shortSchema(spec),
      }
    default:
      return unreachable(spec)
  }
}

function shortSchema({ fields, short }: { readonly fields: Fields; readonly short?: string }): JsonObject {
  const field = short === undefined ? undefined : fields[short]
  return field === undefined ? groupSchema(fields) : { anyOf: [specSchema(field.spec), groupSchema(fields)] }
}

function groupSchema(fields: Fields): JsonObject {
  const required = Object.keys(fields).filter((key) => fields[key]?.required === true)
  return {
    type: 'object',
    properties: Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, fieldSchema(field)])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}
