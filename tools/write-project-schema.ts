import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectJsonSchema } from '../src/core/project/json-schema.ts'

/** Writes docs/schema/shipway.schema.json: `node tools/write-project-schema.ts` after a change of src/core/project/schema.ts. */
const file = join(import.meta.dirname, '..', 'docs', 'schema', 'shipway.schema.json')
writeFileSync(file, `${JSON.stringify(projectJsonSchema(), null, 2)}\n`)
