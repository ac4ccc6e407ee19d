import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from '#core/diagnostic.ts'
import { evaluateText } from '#core/expression/template.ts'
import type { StepModel, WorkflowModel } from './model.ts'
import { aliasesMax, fileLengthMax, nestingDepthMax } from './limits.ts'
import { parseWorkflow } from './parse-workflow.ts'

const file = '.github/workflows/ci.yml'

const whole = `name: CI
run-name: Deploy by \${{ github.actor }}
on:
  push:
    branches: [main, 'release/**']
    paths-ignore: docs/**
  pull_request:
  schedule:
    - cron: '0 4 * * 1'
  workflow_dispatch:
    inputs:
      level: { type: choice, options: [low, high], default: low, required: true }
      dry: { type: boolean }
      count: { type: number, default: 3 }
permissions: { contents: read }
env: { A: 1, B: '\${{ vars.B }}' }
defaults: { run: { shell: bash } }
concurrency: { group: '\${{ github.ref }}', cancel-in-progress: true }
jobs:
  build:
    name: Build it
    runs-on: [self-hosted, linux]
    timeout-minutes: 10
    cancel-timeout-minutes: 1
    continue-on-error: \${{ matrix.free }}
    environment: { name: staging, url: 'https://\${{ steps.up.outputs.host }}' }
    defaults: { run: { working-directory: app } }
    outputs: { version: '\${{ steps.v.outputs.version }}' }
    strategy: { fail-fast: false, max-parallel: 2, matrix: { free: [true, false] } }
    container: { image: 'node:24', env: { X: y } }
    services: { db: { image: postgres } }
    steps:
      - uses: actions/checkout@v4
        with: { fetch-depth: 0 }
      - id: v
        name: Version
        if: github.ref_type == 'tag'
        run: echo "version=1" >> "$GITHUB_OUTPUT"
        shell: sh
        working-directory: .
        timeout-minutes: 2
        continue-on-error: true
        env: { C: c }
  call:
    needs: build
    if: always()
    uses: ./.github/workflows/other.yml
    with: { version: '\${{ needs.build.outputs.version }}' }
    secrets: inherit
`

describe('a workflow file', () => {
  test('becomes a model with everything that execution needs', async () => {
    const { value, diagnostics } = await parseWorkflow({ file, text: whole })

    expect(diagnostics).toEqual([])
    expect(value).toMatchSnapshot()
    expect(JSON.parse(JSON.stringify(value))).toEqual(value)
  })

  test('without a name is named after its file', async () => {
    expect((await modelOf(steps('- run: x'))).name).toBe(file)
  })

  test('gives ids to steps that have none, and never one that is taken', async () => {
    const model = await modelOf(
      steps('- run: a', '- run: b', '- uses: ./x', '- uses: docker://alpine:3', '- uses: a/b/c@v1'),
    )
    expect(model.jobs[0]?.steps.map((step) => step.id)).toEqual(['__run', '__run_2', '__self', '__alpine_3', '__a_b'])
  })

  test('may use anchors', async () => {
    const model = await modelOf(steps('- &s { run: hello }', '- *s'))
    expect(model.jobs[0]?.steps.map((step) => step.run)).toEqual(['hello', 'hello'])
  })

  test('cannot forge the shapes that the model reserves', async () => {
    const model = await modelOf(steps('- { run: x, env: { $expr: github.token } }'))
    expect(model.jobs[0]?.steps[0]?.env).toEqual({ $map: [['$expr', 'github.token']] })
  })
})

describe('a script of several lines with an expression is what YAML says, not what the file looks like', () => {
  const scope = { contexts: { github: { ref: 'R' } } }
  const cases = [
    [
      'literal',
      "- run: |\n    cat <<EOF\n      it's ${{ github.ref }}: 'a' {b}\n    EOF",
      "cat <<EOF\n  it's R: 'a' {b}\nEOF\n",
    ],
    ['literal without an end', '- run: |-\n    a ${{ github.ref }}\n    b', 'a R\nb'],
    ['folded', '- run: >\n    a\n    ${{ github.ref }}\n\n    b', 'a R\nb\n'],
    ['double-quoted', '- run: "a\\n\n    ${{ github.ref }} \\"x\\""', 'a\n R "x"'],
    ['single-quoted', "- run: 'it''s\n    ${{ github.ref }}'", "it's R"],
    ['plain', '- run: a\n    ${{ github.ref }}', 'a R'],
  ] as const
  test.each(cases)('%s', async (_style, step, script) => {
    const [first] = (await modelOf(steps(step.replaceAll('\n', '\n      ')))).jobs[0]?.steps ?? []
    expect(evaluateText((first as StepModel).run ?? '', scope)).toBe(script)
  })
})

describe('conditions', () => {
  const cases = [
    ["if: github.ref == 'x'", "success() && (github.ref == 'x')"],
    ["if: ${{ github.ref == 'x' }}", "success() && (github.ref == 'x')"],
    ['if: ${{ always() }}', 'always()'],
    ['if: true', 'success() && (true)'],
    ["if: ''", 'success()'],
    // GitHub: text around an expression makes it a text, and a text that is not empty is true.
    ["if: ${{ github.ref == 'x' }} && true", "success() && (format('{0} && true', github.ref == 'x'))"],
  ] as const
  test.each(cases)('%s', async (line, condition) => {
    const model = await modelOf(steps(`- run: x\n        ${line}`))
    expect(model.jobs[0]?.steps[0]?.if).toBe(condition)
  })
})

test('all mistakes are reported at once, with their place and a correction', async () => {
  const text = `on: { push: { branches: [main], branches-ignore: ['[x'] } }
jobs:
  test:
    run-on: ubuntu-latest
    strategy: { matrix: { os: [] } }
    steps:
      - uses: checkout
      - run: echo \${{ foo.bar }}
        continue-on-eror: true
      - { id: a, run: x }
      - { id: A, run: x }
      - uses: actions/checkout@8f4b7f8
      - run: x
        uses: ./x
  b:
    needs: tset
    if: github.ref = 'refs/heads/main'
    runs-on: ubuntu-latest
    steps: [{ run: "\${{ secrets.x }" }]
  c:
    uses: other.yml
`
  const { value, diagnostics } = await parseWorkflow({ file, text })

  expect(value).toBeUndefined()
  expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, text)).join('\n')).toMatchSnapshot()
})

describe('when no job of a file can start, each need that is to blame is told where it stands', () => {
  const blame = async (needs: Readonly<Record<string, string>>) => {
    const jobs = Object.entries(needs).map(
      ([job, names]) => `  ${job}: { needs: [${names}], runs-on: ubuntu-latest, steps: [{ run: x }] }\n`,
    )
    const { diagnostics } = await parseWorkflow({ file, text: `on: push\njobs:\n${jobs.join('')}` })
    return diagnostics.slice(1).map(({ range, message, hint }) => [range.start.line, message, hint])
  }
  const cycle = (job: string, need: string) =>
    `Job '${job}' depends on job '${need}' which creates a cycle in the dependency graph.`

  test('a name that no job has, with the one that was meant', async () => {
    expect(await blame({ build: 'biuld' })).toEqual([
      [3, "Job 'build' depends on unknown job 'biuld'.", 'Did you mean "build"?'],
    ])
    expect(await blame({ build: 'nowhere', test: 'build' })).toEqual([
      [3, "Job 'build' depends on unknown job 'nowhere'.", 'Jobs of this file: build, test.'],
    ])
  })

  test('a circle, without those that only wait for it', async () => {
    expect(await blame({ a: 'a' })).toEqual([[3, cycle('a', 'a'), undefined]])
    expect(await blame({ a: 'b', b: 'c', c: 'a', d: 'c' })).toEqual([
      [3, cycle('a', 'b'), undefined],
      [4, cycle('b', 'c'), undefined],
      [5, cycle('c', 'a'), undefined],
    ])
  })
})

test('a context that is not known at its place comes with what to do instead', async () => {
  const step = (condition: string) =>
    `on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - { run: x, if: "${condition}" }\n`
  const hintOf = async (condition: string) =>
    (await parseWorkflow({ file, text: step(condition) })).diagnostics.map(({ hint }) => hint)

  expect(await hintOf("secrets.TOKEN != ''")).toEqual([expect.stringContaining('ask for env.NAME')])
  expect(await hintOf('jobs.a.result')).toEqual([expect.stringContaining('"jobs" exists')])
  expect(await hintOf('step.a.outcome')).toEqual(['Did you mean "steps"?'])
  expect(await hintOf('production')).toEqual(["A text stands in single quotes: 'production'."])
})

test('a key with a mistake in its name is one problem, not two', async () => {
  const text =
    'on: push\njobs:\n  a:\n    name: x\n    run-on: x\n    steps: [{ run: x }]\n  b:\n    steps: [{ run: x }]\n'
  const { diagnostics } = await parseWorkflow({ file, text })
  expect(diagnostics.map(({ range, message }) => `${range.start.line} ${message}`)).toEqual([
    "5 Unexpected value 'run-on'",
    '8 Required property is missing: runs-on',
  ])
})

describe('a file that cannot be read', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...range(9).map(
      (i) =>
        `b${i}: &b${i} [${Array(9)
          .fill(`*${i === 0 ? 'a' : `b${i - 1}`}`)
          .join(', ')}]`,
    ),
  ]
  const cases = [
    ['empty', '', 'YAML_INVALID', /is empty/],
    ['only a comment', '# nothing\n', 'YAML_INVALID', /is empty/],
    ['broken YAML', 'on: push\njobs: [', 'YAML_INVALID', /./],
    ['a tab for indentation', 'on: push\njobs:\n\tx: y', 'YAML_INVALID', /./],
    ['too long', `# ${'x'.repeat(fileLengthMax)}`, 'FILE_TOO_LARGE', /1048576 are allowed/],
    [
      'too deep',
      `on: ${'['.repeat(nestingDepthMax + 2)}${']'.repeat(nestingDepthMax + 2)}`,
      'YAML_INVALID',
      /more than 50 levels/,
    ],
    ['absurdly deep', `on: ${'['.repeat(100_000)}`, 'YAML_INVALID', /./],
    ['an alias bomb', bomb.join('\n'), 'YAML_INVALID', new RegExp(`more than ${aliasesMax} times`)],
    ['an anchor inside itself', 'on: &a [*a]', 'YAML_INVALID', /contains itself/],
    ['an unknown anchor', 'on: *nothing', 'YAML_INVALID', /nothing/],
    ['a list as a key', 'on: push\n? [a]\n: b', 'YAML_INVALID', /plain text/],
  ] as const
  test.each(cases)('%s', async (_title, text, code, message) => {
    const { value, diagnostics } = await parseWorkflow({ file, text })
    expect(value).toBeUndefined()
    expect(diagnostics[0]).toMatchObject({
      severity: 'error',
      code,
      file,
      message: expect.stringMatching(message) as string,
    })
  })

  test('a merge key is refused, as on GitHub', async () => {
    const { diagnostics } = await parseWorkflow({ file, text: steps('- &s { run: x }', '- { <<: *s, name: y }') })
    expect(diagnostics.map((diagnostic) => diagnostic.message)).toContain("Unexpected value '<<'")
  })

  test('a script that is too long for an expression says so', async () => {
    const { diagnostics } = await parseWorkflow({
      file,
      text: steps(`- run: "\${{ github.ref }}${'x'.repeat(21_000)}"`),
    })
    expect(diagnostics).toMatchObject([{ code: 'EXPRESSION_INVALID', hint: expect.stringMatching(/env/) as string }])
  })

  test('an expression that is too long by itself is told once, in our words', async () => {
    const { diagnostics } = await parseWorkflow({ file, text: steps(`- run: echo \${{ ${'1 || '.repeat(5_000)}1 }}`) })
    expect(diagnostics).toHaveLength(1)
    expect(diagnostics[0]?.message).toBe('Exceeded max expression length 21000')
  })
})

describe('whatever the text, parsing ends with a model or an error, and never throws', () => {
  test('arbitrary text', async () => {
    await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), neverThrows), { numRuns: 200 })
  })

  test('a good file with something cut out, doubled or put in', async () => {
    const junk = fc.constantFrom(
      '',
      ':',
      '- ',
      '\n',
      '  ',
      '${{',
      '}}',
      "'",
      '"',
      '[',
      '{',
      '*a',
      '&a ',
      '!!int ',
      '|\n',
      '<<: ',
      '\t',
      '? ',
      '#',
    )
    const mutated = fc
      .tuple(fc.nat(whole.length), fc.nat(20), junk)
      .map(([at, cut, put]) => whole.slice(0, at) + put + whole.slice(at + cut))
    await fc.assert(fc.asyncProperty(mutated, neverThrows), { numRuns: 150 })
  })
})

async function neverThrows(text: string): Promise<void> {
  const { value, diagnostics } = await parseWorkflow({ file, text })
  expect(value === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'))
}

async function modelOf(text: string): Promise<WorkflowModel> {
  const { value, diagnostics } = await parseWorkflow({ file, text })
  if (value === undefined)
    throw new Error(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, text)).join('\n'))
  return value
}

function steps(...items: readonly string[]): string {
  return `on: push\njobs:\n  test:\n    runs-on: x\n    steps:\n${items.map((item) => `      ${item}\n`).join('')}`
}

function range(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => index)
}

test('of a mistake that breaks the form of the file only the first place is told, with the cure of the most frequent one', async () => {
  const text =
    'on: push\nconcurrency: { group: ci-${{ github.ref }}, cancel-in-progress: true }\njobs:\n  a:\n    runs-on: x\n'
  const { diagnostics } = await parseWorkflow({ file: 'ci.yml', text })
  expect(diagnostics).toMatchObject([
    {
      code: 'YAML_INVALID',
      range: { start: { line: 2 } },
      hint: 'Between { } or [ ], put a text with ${{ … }} in quotes.',
    },
  ])
})

describe('steps that run beside others', () => {
  const parse = (steps: string) =>
    parseWorkflow({
      file,
      text: `on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n${steps.replaceAll(/^/gm, '      ')}`,
    })

  test('are marked, and a group becomes its steps and a wait for them', async () => {
    const { value, diagnostics } = await parse(
      `- { id: web, run: serve, background: true }
- parallel:
    - run: one
    - { id: two, uses: ./two }
- { name: Join, wait: [web], continue-on-error: true }
- wait-all:
- cancel: web`,
    )
    expect(diagnostics).toEqual([])
    const steps = value?.jobs[0]?.steps ?? []
    expect(steps.map(({ id, name, background, control }) => [id, name, background, control])).toEqual([
      ['web', undefined, true, undefined],
      ['__run', undefined, true, undefined],
      ['two', undefined, true, undefined],
      ['__parallel', 'Parallel group', undefined, { kind: 'wait', steps: ['__run', 'two'] }],
      ['__wait', 'Join', undefined, { kind: 'wait', steps: ['web'] }],
      ['__wait-all', 'Wait for all', undefined, { kind: 'wait-all' }],
      ['__cancel', 'Cancel', undefined, { kind: 'cancel', steps: ['web'] }],
    ])
    expect(steps.map((step) => step.if)).toEqual([
      ...Array<string>(3).fill('success()'),
      ...Array<string>(4).fill('always()'),
    ])
  })

  test.each([
    ['- wait: nobody', "unknown step ID 'nobody'"],
    ['- { run: a, id: x }\n- { wait: x, if: true }', "Unexpected value 'if'"],
    ['- parallel: [{ run: a, background: true }]', "'background' is not allowed inside a parallel block"],
    ['- parallel: [{ parallel: [{ run: a }] }]', "Nested 'parallel' blocks are not allowed"],
    ['- wait-all: false', "'wait-all' must be true or omitted"],
    ['- { id: x, run: a }\n- parallel: [{ id: x, run: b }]', 'is used by another step'],
    ['- parallel: [{ uses: nothing }]', 'Expected format'],
  ])('%s is refused', async (steps, message) => {
    const { diagnostics } = await parse(steps)
    expect(diagnostics.map((diagnostic) => diagnostic.message).join('\n')).toContain(message)
  })
})
