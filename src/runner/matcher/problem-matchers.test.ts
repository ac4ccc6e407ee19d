import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, messagesOf, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestJob } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

/** Runs steps after one that writes a file of matchers: `m.json`. */
function run(matchers: readonly unknown[], ...scripts: readonly string[]): Promise<EndedJob> {
  const steps: TestJob['steps'] = scripts.map((script) => ({ run: script }))
  const write = { run: 'mkdir -p src && touch src/a.ts && printf "%s" "$MATCHERS" > m.json' }
  return rig.run({ steps: [{ ...write, env: { MATCHERS: JSON.stringify({ problemMatcher: matchers }) } }, ...steps] })
}

const compiler = {
  owner: 'compiler',
  pattern: [
    {
      regexp: '^(\\S+):(\\d+):(\\d+): (?:(warning|note) )?(?:\\[(\\w+)\\] )?(.+)$',
      file: 1,
      line: 2,
      column: 3,
      severity: 4,
      code: 5,
      message: 6,
    },
  ],
}

describe('a problem matcher', () => {
  test('finds problems in the output of the steps that follow, coloured lines included', async () => {
    const job = await run(
      [compiler],
      'echo "src/a.ts:1:2: before"; echo "::add-matcher::m.json"; echo "src/a.ts:3:4: [E1] same step"',
      String.raw`printf 'plain\n\033[31msrc/a.ts:5:6: warning red\033[0m\n' >&2; echo "none.ts:7:8: a file that is not there"`,
      'echo "::remove-matcher owner=compiler::"; echo "src/a.ts:9:9: after"',
    )
    expect(job.result.annotations.map(({ jobKey: _, ...annotation }) => annotation)).toEqual(
      [
        { level: 'error', message: 'same step', file: 'src/a.ts', line: 3, column: 4, code: 'E1', step: 2 },
        { level: 'error', message: 'a file that is not there', line: 7, column: 8, step: 3 },
        { level: 'warning', message: 'red', file: 'src/a.ts', line: 5, column: 6, step: 3 },
      ].toSorted(
        (one, other) => one.step - other.step || expectedOrder(job, one.message) - expectedOrder(job, other.message),
      ),
    )
    expect(job.log).toContain('##[error]src/a.ts:3:4: [E1] same step')
    expect(job.log).toContain('##[warning]src/a.ts:5:6: warning red\n')
    expect(printed(job)).toContain('src/a.ts:1:2: before')
    expect(printed(job)).toContain('src/a.ts:9:9: after')
  })

  test('is replaced by one of the same name, and roots files where fromPath says', async () => {
    const again = {
      owner: 'COMPILER',
      severity: 'notice',
      pattern: [{ regexp: '^(\\S+) in (\\S+): (.+)$', file: 1, fromPath: 2, message: 3 }],
    }
    const job = await run(
      [compiler],
      'echo "::add-matcher::$PWD/m.json"',
      `printf '%s' '${JSON.stringify({ problemMatcher: [again] })}' > n.json; echo "::add-matcher::n.json"; echo "src/a.ts:1:2: old"; echo "a.ts in src/project.json: new"`,
    )
    expect(job.result.annotations).toMatchObject([{ level: 'notice', message: 'new', file: 'src/a.ts' }])
  })

  test('does not see secrets, and shows none', async () => {
    const job = await rig.run({
      secrets: { KEY: 'tok-5ecret-value' },
      steps: [
        {
          run: 'printf "%s" "$MATCHERS" > m.json; echo "::add-matcher::m.json"; echo "x.ts:1:1: leaks tok-5ecret-value"',
          env: { MATCHERS: JSON.stringify({ problemMatcher: [compiler] }) },
        },
      ],
    })
    expect(messagesOf(job.result.annotations, 'error')).toEqual(['leaks ***'])
    expect(job.log).not.toContain('tok-5ecret-value')
  })

  test.each([
    ['::add-matcher::none.json', /'none.json' cannot be read/],
    ['::add-matcher::', /A file path is missing/],
    ['::add-matcher::bad.json', /'bad.json' cannot be used: Owner must not be empty/],
    ['::remove-matcher::', /Either the owner or a file path/],
  ])('that cannot be used fails its step: %s', async (command, reason) => {
    const job = await rig.run({
      steps: [{ run: `echo '{"problemMatcher":[{}]}' > bad.json; echo "${command}"` }],
    })
    expect(job.result.reason).toMatch(reason)
  })

  test('whose expression never ends is stopped and removed, and the others go on', async () => {
    const hostile = { owner: 'hostile', pattern: [{ regexp: '^(a+)+$', message: 1 }] }
    const job = await run(
      [hostile, compiler],
      'echo "::add-matcher::m.json"; echo "src/a.ts:1:1: one"; echo "$(printf "a%.0s" $(seq 60))b"; echo "src/a.ts:2:2: two"',
      'echo "src/a.ts:3:3: three"',
    )
    expect(job.result.conclusion).toBe('success')
    expect(messagesOf(job.result.annotations, 'error')).toEqual(['one', 'two', 'three'])
    expect(messagesOf(job.result.annotations, 'warning')).toEqual([
      expect.stringContaining("Removing issue matcher 'hostile'. Matcher failed 3 times"),
    ])
  })
})

/** The two streams of a step reach the log in any order. */
function expectedOrder({ result }: EndedJob, message: string): number {
  return result.annotations.findIndex((annotation) => annotation.message === message)
}
