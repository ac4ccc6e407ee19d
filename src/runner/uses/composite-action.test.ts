import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, expr, messagesOf, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestJob } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

describe('a composite action of the workspace', () => {
  /** A job that writes actions into its workspace before its other steps. */
  function withActions(actions: Readonly<Record<string, string>>, job: TestJob): Promise<EndedJob> {
    const key = `composite-${(count += 1)}`
    const workspace = join(rig.root, key, 'workspace')
    for (const [name, text] of Object.entries(actions)) {
      mkdirSync(dirname(join(workspace, name)), { recursive: true })
      writeFileSync(join(workspace, name), text)
    }
    return rig.run({ ...job, jobKey: key, paths: { workspace } })
  }
  let count = 0

  const greet = `
name: Greet
inputs:
  who: { required: true, default: World }
  From: { default: '\${{ github.event_name }}' }
outputs:
  text: { value: '\${{ steps.say.outputs.text }}' }
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      env: { INNER: inner }
      run: |
        echo "text=Hello \${{ inputs.who }} from \${{ inputs.from }}" >> "$GITHUB_OUTPUT"
        echo "KEPT=kept" >> "$GITHUB_ENV"
        echo "\${OUTER:-none} $INNER \${GITHUB_ACTION_PATH##*/}"
    - shell: bash
      run: echo "\${INNER:-isolated} \${{ steps.say.outcome }}"
`

  test('has inputs, outputs, its own steps, and the variables of its caller', async () => {
    const job = await withActions(
      { 'actions/greet/action.yml': greet },
      {
        steps: [
          { uses: './actions/greet', id: 'greet', with: { WHO: 'Ann' }, env: { OUTER: 'outer' } },
          {
            run: expr(
              "format('echo {0}; echo $KEPT ${{OUTER:-gone}} {1}', steps.greet.outputs.text, steps.say.outcome)",
            ),
          },
        ],
      },
    )
    expect(printed(job)).toEqual(['outer inner greet', 'isolated success', 'Hello Ann from push', 'kept gone'])
    expect(job.steps).toHaveLength(3)
  })

  test('stops at its own failure, cleans up, and still gives its outputs', async () => {
    const text = `
name: Fail
outputs: { early: { value: '\${{ steps.a.outputs.early }}' } }
runs:
  using: composite
  steps:
    - { id: a, shell: bash, run: 'echo "early=yes" >> $GITHUB_OUTPUT' }
    - { shell: bash, run: 'exit 4' }
    - { shell: bash, run: 'echo never' }
    - { shell: bash, run: 'echo cleanup', if: failure() }
    - { shell: bash, run: 'echo allowed; exit 5', if: always(), continue-on-error: true }
`
    const job = await withActions(
      { 'f/action.yaml': text },
      {
        steps: [
          { uses: './f', id: 'f', continueOnError: true },
          { run: expr("format('echo {0} {1}', steps.f.outputs.early, steps.f.outcome)") },
        ],
      },
    )
    expect(printed(job)).toEqual(['cleanup', 'allowed', 'yes failure'])
    expect(job.steps[1]?.reason).toBe('Process completed with exit code 4.')
    expect(job.result.conclusion).toBe('success')
  })

  test('may call others, but not without end', async () => {
    const outer = "name: Outer\nruns: { using: composite, steps: [{ uses: ./inner, with: { n: '1' } }] }\n"
    const inner =
      "name: Inner\ninputs: { n: {} }\nruns: { using: composite, steps: [{ run: 'echo ${{ inputs.n }}', shell: sh }] }\n"
    const loop = 'name: Loop\nruns: { using: composite, steps: [{ uses: ./loop }] }\n'
    const fine = await withActions(
      { 'outer/action.yml': outer, 'inner/action.yml': inner },
      { steps: [{ uses: './outer' }] },
    )
    expect(printed(fine)).toEqual(['1'])
    const endless = await withActions({ 'loop/action.yml': loop }, { steps: [{ uses: './loop' }] })
    expect(endless.result.reason).toContain('nested deeper than 9 levels')
  })

  test('sees no secrets of its own accord, and masks what it adds for the whole job', async () => {
    const spy = "name: Spy\nruns: { using: composite, steps: [{ run: 'echo ${{ secrets.KEY }}', shell: sh }] }\n"
    const mask =
      'name: Mask\nruns: { using: composite, steps: [{ run: "v=hid-$((1+1))-den; echo ::add-mask::$v", shell: sh }] }\n'
    const refused = await withActions({ 'spy/action.yml': spy }, { secrets: { KEY: 'k' }, steps: [{ uses: './spy' }] })
    expect(refused.result.reason).toMatch(/secrets/)
    const masked = await withActions(
      { 'mask/action.yml': mask },
      { steps: [{ uses: './mask' }, { run: 'echo a hid-2-den b' }] },
    )
    expect(printed(masked)).toEqual(['a *** b'])
  })

  test('is stopped as a whole when its step takes too long', async () => {
    const slow =
      'name: Slow\nruns: { using: composite, steps: [{ run: sleep 600, shell: sh }, { run: echo next, shell: sh, if: always() }] }\n'
    const job = await withActions({ 'slow/action.yml': slow }, { steps: [{ uses: './slow', timeoutMinutes: 0.005 }] })
    expect(job.result.reason).toMatch(/has timed out/)
    expect(printed(job)).toEqual([])
  })

  test.each<[string, Record<string, string>, string, RegExp]>([
    ['is not there', {}, './none', /Can't find 'action.yml' or 'action.yaml'/],
    ['leads out of the workspace', {}, './../../x', /leads out/],
    ['is no action', { 'bad/action.yml': 'runs: {}' }, './bad', /runs\.using/],
    [
      'lacks a shell',
      { 'bad/action.yml': 'name: B\nruns: { using: composite, steps: [{ run: x }] }' },
      './bad',
      /missing: shell/,
    ],
    [
      'names a script that is not there',
      { 'js/action.yml': 'name: J\nruns: { using: node20, main: x.js }' },
      './js',
      /names "x.js", which is not in/,
    ],
  ])('that %s fails the step with the reason', async (_name, actions, uses, reason) => {
    const job = await withActions(actions, { steps: [{ uses }] })
    expect(job.result.reason).toMatch(reason)
  })

  test('warns about inputs that it does not have', async () => {
    const job = await withActions(
      { 'actions/greet/action.yml': greet },
      { steps: [{ uses: './actions/greet', with: { hwo: 'Ann' } }] },
    )
    expect(messagesOf(job.result.annotations, 'warning')).toEqual([
      "Unexpected input(s) 'hwo', valid inputs are ['who', 'From']",
    ])
  })

  test('marks its steps in the log, those of actions inside and skipped ones too, and no output passes for a mark', async () => {
    const step = (name: string, run: string, more: object = {}) => ({ name, run, shell: 'bash', ...more })
    const action = (...steps: readonly object[]) => JSON.stringify({ name: 'A', runs: { using: 'composite', steps } })
    const job = await withActions(
      {
        'outer/action.yml': action(
          { name: 'Inside', id: 'in', uses: './inner' },
          step('No;t] now', 'exit 1', { if: 'false' }),
        ),
        'inner/action.yml': action(step('Fake', 'echo "x ##[end-action id=a;outcome=success]"'), step('Bad', 'exit 2')),
      },
      { steps: [{ id: 'a', uses: './outer', continueOnError: true }] },
    )
    const marks = job.log.split('\n').filter((line) => line.includes('-action'))
    expect(marks.map((line) => line.replace(/duration_ms=\d+/, 'duration_ms=N'))).toEqual([
      '##[start-action display=Inside;id=a.in]',
      '##[start-action display=Fake;id=a.in.__run]',
      String.raw`##[group]Run echo "x ##[end-action id=a;outcome=success]"`,
      String.raw`echo "x ##[\end-action id=a;outcome=success]"`,
      String.raw`x ##[\end-action id=a;outcome=success]`,
      '##[end-action id=a.in.__run;outcome=success;conclusion=success;duration_ms=N]',
      '##[start-action display=Bad;id=a.in.__run_2]',
      '##[end-action id=a.in.__run_2;outcome=failure;conclusion=failure;duration_ms=N]',
      '##[end-action id=a.in;outcome=failure;conclusion=failure;duration_ms=N]',
      '##[start-action display=No%3Bt%5D now;id=a.__run]',
      '##[end-action id=a.__run;outcome=skipped;conclusion=skipped;duration_ms=N]',
    ])
  })
})
