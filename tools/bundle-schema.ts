import { readFileSync } from 'node:fs'
import type { Plugin } from 'rolldown'

/**
 * Makes GitHub's schema of workflow files without checking it: the package holds its own schema against a schema of schemas each time it
 * is loaded, 20 ms of the first `shipway run` in a state home. It is the same schema every time; a test compares what comes out.
 */
export const withoutSchemaCheck: Plugin = {
  name: 'without-schema-check',
  load: {
    filter: { id: /\/@actions\/workflow-parser\/dist\/workflows\/workflow-schema\.js$/ },
    handler: (id) => {
      const schema: unknown = JSON.parse(readFileSync(new URL('../workflow-v1.0.min.json', `file://${id}`), 'utf8'))
      // Read as JSON, a text is there twice as fast as an object literal.
      return readSchema.replace('SCHEMA', () => JSON.stringify(JSON.stringify(schema)))
    },
  },
}

const readSchema = `
import { TemplateSchema } from '../templates/schema/index.js'
import { BooleanToken, MappingToken, NullToken, NumberToken, SequenceToken, StringToken } from '../templates/tokens/index.js'

let schema
export function getWorkflowSchema() {
  return (schema ??= new TemplateSchema(token(JSON.parse(SCHEMA))))
}

function token(value) {
  if (typeof value === 'string') return new StringToken(undefined, undefined, value, undefined)
  if (typeof value === 'boolean') return new BooleanToken(undefined, undefined, value, undefined)
  if (typeof value === 'number') return new NumberToken(undefined, undefined, value, undefined)
  if (value === null) return new NullToken(undefined, undefined, undefined)
  if (Array.isArray(value)) {
    const sequence = new SequenceToken(undefined, undefined, undefined)
    for (const item of value) sequence.add(token(item))
    return sequence
  }
  const mapping = new MappingToken(undefined, undefined, undefined)
  for (const [key, item] of Object.entries(value)) mapping.add(token(key), token(item))
  return mapping
}
`
