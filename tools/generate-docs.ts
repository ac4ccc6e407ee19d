/** Writes the reference pages that are made from the program itself: `node tools/generate-docs.ts`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderCliReference } from '#cli/reference.ts'

const folder = join(import.meta.dirname, '../docs/reference')
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'cli.md'), await renderCliReference())
