import { describe, expect, test } from 'vitest'
import { linkCalls } from './link-calls.ts'
import type { Linked, LinkOptions } from './link-calls.ts'
import { parseWorkflow } from './parse-workflow.ts'

const root = '.github/workflows/ci.yml'
const steps = 'runs-on: x, steps: [{ run: echo }]'

/** Links the first of some files, given by name and jobs (or a whole text). */
async function link(files: Readonly<Record<string, string>>, options: LinkOptions = {}): Promise<Linked> {
  const texts = new Map(Object.entries(files).map(([name, text]) => [pathOf(name), text]))
  const text = texts.get(root) ?? ''
  const { value, diagnostics } = await parseWorkflow({ file: root, text })
  if (value === undefined) throw new Error(diagnostics.map(({ message }) => message).join('\n'))
  const reads: string[] = []
  const linked = await linkCalls(
    value,
    async (file) => {
      expect(reads).not.toContain(file)
      reads.push(file)
      const source = texts.get(file)
      if (source === undefined) return { kind: 'problem', message: `${file} is not there.` }
      return { kind: 'file', text: source, parsed: await parseWorkflow({ file, text: source }) }
    },
    options,
  )
  return linked
}

function pathOf(name: string): string {
  return name.includes('/') ? name : `.github/workflows/${name}.yml`
}

function calling(...names: readonly string[]): string {
  const jobs = names.map((name, index) => `  j${index}: { uses: ./.github/workflows/${name}.yml }`)
  return `on: workflow_call\njobs:\n${jobs.join('\n')}\n`
}

const leaf = `on: workflow_call\njobs:\n  a: { ${steps} }\n`

function said({ diagnostics, files }: Linked): readonly string[] {
  return [...diagnostics, ...files.flatMap((file) => file.diagnostics)].map(
    ({ file, range, message }) => `${file.split('/').at(-1)}:${range.start.line}:${range.start.column} ${message}`,
  )
}

describe('A workflow and what it calls', () => {
  test('are read once each and given together, whoever calls whom how often', async () => {
    const linked = await link({ ci: calling('a', 'b', 'a'), a: calling('b', 'c'), b: calling('c'), c: leaf })
    expect(said(linked)).toEqual([])
    expect(Object.keys(linked.value?.calls ?? {}).map((file) => file.split('/').at(-1))).toEqual([
      'a.yml',
      'b.yml',
      'c.yml',
    ])
  })

  test('of another repository are found there, at the same ref', async () => {
    const linked = await link({
      ci: 'on: push\njobs:\n  far: { uses: acme/flows/.github/workflows/a.yml@v1 }\n',
      'acme/flows/.github/workflows/a.yml@v1': calling('b'),
      'acme/flows/.github/workflows/b.yml@v1': leaf,
    })
    expect(said(linked)).toEqual([])
    expect(Object.keys(linked.value?.calls ?? {})).toHaveLength(2)
  })

  test.each([
    ['itself', { ci: calling('ci') }, 'ci.yml:3:15 The workflow calls itself: '],
    ['itself over another one', { ci: calling('a'), a: calling('ci') }, 'a.yml:3:15 The workflow calls itself: '],
    ['a file that is not there', { ci: calling('a') }, 'ci.yml:3:15 .github/workflows/a.yml is not there.'],
    [
      'a file with mistakes',
      { ci: calling('a'), a: 'on: workflow_call\njobs: {}\n' },
      'ci.yml:3:15 The called workflow',
    ],
    [
      'a file that cannot be called',
      { ci: calling('a'), a: `on: push\njobs:\n  a: { ${steps} }\n` },
      'ci.yml:3:15 workflow_call key is not defined in the referenced workflow.',
    ],
  ] as const)('are refused when one calls %s', async (_what, files, message) => {
    const linked = await link(files)
    expect(linked.value).toBeUndefined()
    expect(said(linked)).toContainEqual(expect.stringContaining(message))
  })

  test('may be ten deep, the first counted', async () => {
    const chain = (depth: number): Record<string, string> => ({
      ci: calling('f1'),
      ...Object.fromEntries(
        Array.from({ length: depth - 1 }, (_, at) => [`f${at + 1}`, at === depth - 2 ? leaf : calling(`f${at + 2}`)]),
      ),
    })
    expect((await link(chain(10))).value).toBeDefined()
    const linked = await link(chain(11))
    expect(linked.value).toBeUndefined()
    expect(said(linked)).toEqual(['f9.yml:3:15 Nested reusable workflow depth exceeded 9.'])
  })

  test('may be fifty files besides the first', async () => {
    const wide = (count: number): Record<string, string> => {
      const names = Array.from({ length: count }, (_, index) => `f${index}`)
      return { ci: calling(...names), ...Object.fromEntries(names.map((name) => [name, leaf])) }
    }
    expect((await link(wide(50))).value).toBeDefined()
    expect(said(await link(wide(51)))).toContainEqual(
      expect.stringContaining('More than 50 reusable workflow files are called.'),
    )
  })

  test('are counted as a run would meet them, without walking every way', async () => {
    // Each calls the next eight times: 8 to the power of 9 jobs.
    const files = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [at === 0 ? 'ci' : `f${at}`, calling(...Array(8).fill(`f${at + 1}`))]),
    )
    const linked = await link({ ...files, f9: leaf })
    expect(said(linked)).toEqual([expect.stringContaining('The workflow may not contain more than 10000 jobs')])
  })

  test('may take from the permissions of the caller and not add to them', async () => {
    const files = (inner: string): Record<string, string> => ({
      ci: `on: push\npermissions: { contents: read, packages: write }\njobs:\n  j: { uses: ./.github/workflows/a.yml }\n`,
      a: `on: workflow_call\npermissions: ${inner}\njobs:\n  a: { ${steps} }\n`,
    })
    expect((await link(files('{ packages: read }'))).value).toBeDefined()
    expect(said(await link(files('{ contents: write, issues: read }')))).toEqual([
      "ci.yml:4:3 Error calling workflow './.github/workflows/a.yml'. The workflow './.github/workflows/a.yml' is requesting 'contents: write, issues: read', but is only allowed 'contents: read, issues: none'.",
    ])
  })
})
