import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from '#core/diagnostic.ts'
import { parseAction } from './parse-action.ts'

const file = 'greet/action.yml'

describe('an action file', () => {
  test('of a composite action gives inputs, outputs and steps', async () => {
    const { value, diagnostics } = await parseAction({
      file,
      text: `name: Greet
description: Says hello
inputs:
  who: { description: Whom, required: true, default: '\${{ github.actor }}' }
  times: { default: 2 }
outputs:
  text: { description: What was said, value: '\${{ steps.say.outputs.text }}' }
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      if: inputs.who != ''
      run: |
        echo "text=\${{ inputs.who }}" >> "$GITHUB_OUTPUT"
    - uses: ./other
      with: { x: 1 }
branding: { icon: x, color: blue }
`,
    })

    expect(diagnostics).toEqual([])
    expect(value).toEqual({
      file,
      name: 'Greet',
      description: 'Says hello',
      inputs: {
        who: { required: true, description: 'Whom', default: { $expr: 'github.actor' } },
        times: { required: false, default: 2 },
      },
      outputs: { text: { $expr: 'steps.say.outputs.text' } },
      runs: {
        kind: 'composite',
        steps: [
          {
            id: 'say',
            if: "success() && (inputs.who != '')",
            shell: 'bash',
            run: { $expr: 'format(\'echo "text={0}" >> "$GITHUB_OUTPUT"\n\', inputs.who)' },
            position: { line: 11, column: 7 },
          },
          { id: '__self', if: 'success()', uses: './other', with: { x: 1 }, position: { line: 16, column: 7 } },
        ],
      },
    })
  })

  test('of a JavaScript action gives its three scripts and their conditions', async () => {
    const text = 'name: x\nruns: { using: Node24, main: dist/i.js, post: dist/p.js, post-if: "${{ failure() }}" }'
    expect((await parseAction({ file, text })).value?.runs).toEqual({
      kind: 'node',
      using: 'node24',
      main: 'dist/i.js',
      preIf: 'always()',
      post: 'dist/p.js',
      postIf: 'failure()',
    })
  })

  test('of a container action gives image, arguments and environment', async () => {
    const text = "name: x\nruns: { using: docker, image: Dockerfile, args: [a, '${{ inputs.b }}'], env: { C: d } }"
    expect((await parseAction({ file, text })).value?.runs).toEqual({
      kind: 'docker',
      image: 'Dockerfile',
      preIf: 'always()',
      postIf: 'always()',
      args: ['a', { $expr: 'inputs.b' }],
      env: { C: 'd' },
    })
  })

  const mistakes = [
    ['name: x', 'ACTION_INVALID', /runs\.using/],
    ['name: x\nruns: { using: node8x }', 'ACTION_INVALID', /'node8x'/],
    ['name: x\nrunz: {}\nruns: { using: composite, steps: [] }', 'ACTION_KEY_UNKNOWN', /'runz'/],
    ['name: x\nName: y\nruns: { using: composite, steps: [] }', 'ACTION_INVALID', /already defined/],
    ['name: x\nruns: { using: composite }', 'ACTION_INVALID', /list of steps/],
    ['name: x\nruns: { using: composite, steps: [{ run: a }] }', 'ACTION_INVALID', /missing: shell/],
    [
      'name: x\nruns: { using: composite, steps: [{ run: a, shell: sh, timeout-minutes: 1 }] }',
      'ACTION_KEY_UNKNOWN',
      /'timeout-minutes'/,
    ],
    ['name: x\nruns: { using: composite, steps: [{ name: a }] }', 'ACTION_INVALID', /either "run" or "uses"/],
    ['name: x\nruns: { using: composite, steps: [{ uses: nowhere }] }', 'USES_INVALID', /Expected format/],
    ["name: x\nruns: { using: composite, steps: [{ shell: sh, run: 'a ${{ b' }] }", 'EXPRESSION_INVALID', /not closed/],
    [
      "name: x\nruns: { using: composite, steps: [{ shell: sh, run: 'a ${{ 1 + }}' }] }",
      'EXPRESSION_INVALID',
      /Unexpected symbol/,
    ],
    ['name: x\nruns: { using: node24 }', 'ACTION_INVALID', /runs\.main/],
    ['name: x\nruns: { using: docker }', 'ACTION_INVALID', /runs\.image/],
    ['- a', 'ACTION_INVALID', /mapping was expected/],
    ['name: x\nruns: { using: composite, steps: [{ id: __a, uses: ./x }] }', 'STEP_ID_INVALID', /reserved/],
  ] as const
  test.each(mistakes)('%s is refused', async (text, code, message) => {
    const { value, diagnostics } = await parseAction({ file, text })
    expect(value).toBeUndefined()
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ code, message: expect.stringMatching(message) as string }),
    )
  })

  test('shows a mistake with its line and a correction', async () => {
    const text = 'name: x\ndescriptoin: y\nruns: { using: composite, steps: [] }\n'
    const { diagnostics } = await parseAction({ file, text })
    expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, text))).toEqual([
      [
        "greet/action.yml:2:1: error: Unexpected value 'descriptoin' (ACTION_KEY_UNKNOWN)",
        '  2 | descriptoin: y',
        '    | ^^^^^^^^^^^',
        '  help: Did you mean "description"?',
      ].join('\n'),
    ])
  })

  test('whatever its text, never makes the parser throw', async () => {
    const line = fc.constantFrom(
      'name: x',
      'runs:',
      '  using: composite',
      '  using: docker',
      '  steps:',
      '    - run: x',
      '      shell: bash',
      '    - ',
      'inputs:',
      '  a:',
      '    default: ${{',
      'outputs: []',
      '*a',
      '&a',
    )
    const text = fc.oneof(
      fc.string(),
      fc.array(line).map((lines) => lines.join('\n')),
    )
    await fc.assert(
      fc.asyncProperty(text, async (source) => {
        const { value, diagnostics } = await parseAction({ file, text: source })
        expect(value === undefined).toBe(diagnostics.length > 0)
      }),
    )
  })
})
