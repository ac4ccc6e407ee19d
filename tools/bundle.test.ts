import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { OutputChunk } from 'rolldown'
import { getWorkflowSchema } from '@actions/workflow-parser/workflows/workflow-schema'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { collectLicences } from './bundle-licences.ts'
import { makeBundle } from './bundle.ts'

const source = (path: string) => JSON.stringify(join(import.meta.dirname, '../src', path))
const schemaModule = '@actions/workflow-parser/workflows/workflow-schema'
/** A program of our real parts: it reads a workflow file with GitHub's parser, or loads the driver of PostgreSQL. */
const program = `
import ${source('main/register-json.ts')}
if (process.argv[2] === 'parse') {
  const { parseWorkflow } = await import(${source('core/workflow/parse-workflow.ts')})
  const text = 'on: push\\njobs: { build: { runs-on: ubuntu-latest, steps: [{ run: make }] } }'
  console.log((await parseWorkflow({ file: 'ci.yml', text })).value.jobs[0].id)
} else if (process.argv[2] === 'schema') {
  const { getWorkflowSchema } = await import(${JSON.stringify(fileURLToPath(import.meta.resolve(schemaModule)))})
  console.log(JSON.stringify(getWorkflowSchema()))
} else if (process.argv[2] === 'postgres') {
  console.log(Object.keys(await import(${source('adapters/store-postgres/open-postgres.ts')})).join())
} else {
  console.log('started')
}
`

let folder: string
let chunks: readonly OutputChunk[]
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'shipway-bundle-')))
  await mkdir(join(folder, 'empty'))
  await writeFile(join(folder, 'program.ts'), program)
  chunks = await makeBundle({ entries: { program: join(folder, 'program.ts') }, folder: join(folder, 'dist') })
  await writeFile(join(folder, 'dist/package.json'), '{ "type": "module" }')
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

describe('the bundle', () => {
  test.for([
    ['start', 'started'],
    ['parse', 'build'],
    ['postgres', 'openPostgres'],
  ] as const)('runs "%s" from an empty folder, without node_modules and without types', async ([word, answer]) => {
    const options = { cwd: join(folder, 'empty'), env: {} }
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'dist/program.js'), word], options)

    expect(stdout.trim()).toBe(answer)
  })

  test('has the schema of GitHub as it is, though nobody checks it at the start', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'dist/program.js'), 'schema'], {
      maxBuffer: 16 * 1024 * 1024,
    })

    const bundled: unknown = JSON.parse(stdout)
    expect(bundled).toHaveProperty('definitions.workflow-root.properties.jobs')
    expect(bundled).toEqual(JSON.parse(JSON.stringify(getWorkflowSchema())))
  })

  test('loads nothing at the start that is imported later', () => {
    const atStart = reach(['program.js'], (chunk) => chunk.imports)
    const ever = reach(['program.js'], (chunk) => [...chunk.imports, ...chunk.dynamicImports])
    const isGithub = (id: string) => id.includes('@actions/')

    expect(modulesOf(ever).some(isGithub)).toBe(true)
    expect(modulesOf(atStart).filter(isGithub)).toEqual([])
    expect(modulesOf(atStart).filter((id) => id.includes('/pg/'))).toEqual([])
  })

  test('replaces what an earlier bundle left', async () => {
    await writeFile(join(folder, 'dist/old.js'), '')
    await makeBundle({ entries: { program: join(folder, 'program.ts') }, folder: join(folder, 'dist') })

    expect(await readdir(join(folder, 'dist'))).not.toContain('old.js')
  })

  test('fails when a package is missing instead of leaving it to the user', async () => {
    await writeFile(join(folder, 'broken.ts'), "import 'no-such-package-anywhere'\n")

    const broken = makeBundle({ entries: { broken: join(folder, 'broken.ts') }, folder: join(folder, 'broken') })
    await expect(broken).rejects.toThrow('no-such-package-anywhere')
  })

  test('comes with the licences of what is in it', async () => {
    const text = await collectLicences(chunks.flatMap((chunk) => chunk.moduleIds))

    expect(text).toMatch(/^@actions\/workflow-parser \d/m)
    expect(text).toMatch(/^pg \d/m)
    expect(text).toContain('Permission is hereby granted')
    expect(text).not.toMatch(/^vitest /m)
  })
})

function reach(names: readonly string[], next: (chunk: OutputChunk) => readonly string[]): ReadonlySet<string> {
  const reached = new Set(names)
  for (const name of reached) {
    const chunk = chunks.find((candidate) => candidate.fileName === name)
    for (const target of chunk === undefined ? [] : next(chunk)) reached.add(target)
  }
  return reached
}

function modulesOf(names: ReadonlySet<string>): readonly string[] {
  return chunks.filter((chunk) => names.has(chunk.fileName)).flatMap((chunk) => chunk.moduleIds)
}
