import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { checkRun } from '../conformance/run-fact.ts'
import { program } from '../rig/program.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { processesWith } from '../rig/sshd.ts'
import { until } from '../rig/web-fleet.ts'

const job = "{ runs-on: ubuntu-latest, steps: [{ run: 'true' }] }"
const aliases = Array.from(
  { length: 12 },
  (_, index) =>
    `        x${index + 1}: &x${index + 1} [${Array.from({ length: 10 }, () => `*x${index}`).join(', ')}]\n`,
)

/** What is wrong, the file, and what the error says: its place first. */
const invalid: readonly (readonly [string, string, string])[] = [
  ['no YAML', 'on: push\njobs:\n  test: { runs-on: [x }\n', ':3:'],
  ['tabs', `on: push\njobs:\n\ta: ${job}\n`, ':3:1: error: Tabs are not allowed as indentation'],
  ['nothing', '', ':1:1: error: The file is empty.'],
  ['a list', '- on: push\n', ':1:1: error: A sequence was not expected'],
  [
    'two documents',
    `on: push\njobs: { a: ${job} }\n---\non: push\n`,
    ':3:1: error: A workflow file holds one document',
  ],
  ['bytes of another kind', `on: push\njobs: { a: ${job} }\n\u0000\u0001\u0002\n`, ':3:1: error:'],
  ['no events', `jobs: { a: ${job} }\n`, ':1:1: error: Required property is missing: on'],
  [
    'a circle of needs',
    "on: push\njobs:\n  a: { needs: b, runs-on: linux, steps: [{ run: 'true' }] }\n  b: { needs: a, runs-on: linux, steps: [{ run: 'true' }] }\n  c: { runs-on: linux, steps: [{ run: 'true' }] }\n",
    ":3:15: error: Job 'a' depends on job 'b' which creates a cycle",
  ],
  [
    'an unknown need',
    `on: push\njobs:\n  a: ${job}\n  b: { needs: [a, aa], runs-on: linux, steps: [{ run: 'true' }] }\n`,
    ":4:19: error: Job 'b' depends on unknown job 'aa'",
  ],
  ['a job twice', `on: push\njobs:\n  a: ${job}\n  A: ${job}\n`, ":4:3: error: 'A' is already defined"],
  [
    'a bomb of anchors',
    `on: push\njobs:\n  a:\n    runs-on: linux\n    strategy:\n      matrix:\n        x0: &x0 [lol, lol]\n${aliases.join('')}    steps: [{ run: 'true' }]\n`,
    'error: Anchors are used more than 1000 times.',
  ],
  [
    'an anchor in itself',
    "on: push\njobs: { a: { runs-on: linux, strategy: { matrix: { x: &x [1, *x] } }, steps: [{ run: 'true' }] } }\n",
    'error: The anchor "x" contains itself.',
  ],
  [
    'a thousand levels',
    `on: push\njobs: { a: { runs-on: linux, strategy: { matrix: { x: ${'['.repeat(1000)}1${']'.repeat(1000)} } }, steps: [{ run: 'true' }] } }\n`,
    'error: The file is nested more than 50 levels deep.',
  ],
  ['a megabyte', `on: push\njobs: { a: ${job} }\n# ${'x'.repeat(1_100_000)}\n`, ':1:1: error: The file has 11000'],
  [
    'a quarter of a million values',
    `on: push\njobs: { a: { runs-on: linux, strategy: { matrix: { x: [${'1,'.repeat(300_000)}1] } }, steps: [{ run: 'true' }] } }\n`,
    'error: The file has more than 250000 values.',
  ],
  [
    'an expression of sixty levels',
    `on: push\njobs: { a: { runs-on: linux, steps: [{ run: "echo \${{ ${'('.repeat(60)}1${')'.repeat(60)} }}" }] } }\n`,
    'error: Exceeded max expression depth 50',
  ],
  [
    'an expression that is too long',
    `on: push\njobs: { a: { runs-on: linux, steps: [{ run: "echo \${{ '${'x'.repeat(21_001)}' }}" }] } }\n`,
    'error: Exceeded max expression length 21000',
  ],
]

test(
  'a workflow file that cannot be read is refused at its place, in a few lines, and nothing is recorded',
  { tags: ['slow'] },
  async () => {
    const files = invalid.map(([, text], index) => [`bad/${index}.yml`, text])
    using repository = new Repository(Object.fromEntries(files))
    await using shipway = new Shipway()

    const ends = await fourAtATime(invalid, async (_, index) =>
      shipway.call(repository.root, 'run', '--workflow', `bad/${index}.yml`),
    )
    for (const [index, [what, , message]] of invalid.entries()) {
      const { status, stderr } = ends[index] ?? { status: null, stderr: '' }
      expect(status, what).toBe(2)
      expect(stderr, what).toContain('(code WORKFLOW_INVALID, exit 2)')
      expect(stderr, what).toContain(`bad/${index}.yml:`)
      expect(stderr, what).toContain(message)
      expect(stderr, what).toMatch(/\n +\| +\^/)
      expect(stderr.length, what).toBeLessThan(10_000)
    }
    expect((await shipway.call(repository.root, 'ps', '--all', '--json')).stdout).toContain('"items":[]')
  },
)

async function fourAtATime<T, R>(items: readonly T[], call: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const rest = items.entries()
  const work = async (): Promise<void> => {
    for (const [index, item] of rest) results[index] = await call(item, index)
  }
  await Promise.all(Array.from({ length: 4 }, work))
  return results
}

const deep = `'${'['.repeat(150)}${']'.repeat(150)}'`
const hostile = `on: push
env: { X: '${'x'.repeat(1000)}' }
jobs:
  steps:
    runs-on: ubuntu-latest
    steps:
      - { name: format, continue-on-error: true, run: "echo \${{ format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', env.X))))) }}" }
      - { name: join, continue-on-error: true, run: "echo \${{ join(fromJSON(format('[{0}0]', join(fromJSON('[1,2,3,4,5,6,7,8,9]'), '0,'))), format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', format('{0}{0}', env.X))))) }}" }
      - { name: json, continue-on-error: true, run: "echo \${{ toJSON(fromJSON(${deep})) }}" }
      - { name: no json, continue-on-error: true, run: "echo \${{ fromJSON('{') }}" }
      - { name: braces, continue-on-error: true, run: "echo \${{ format('{0', 1) }}" }
      - { name: number, continue-on-error: true, timeout-minutes: "\${{ fromJSON('\\"soon\\"') }}", run: 'true' }
      - run: echo still here
  matrix:
    runs-on: ubuntu-latest
    strategy: { matrix: "\${{ fromJSON('[1]') }}" }
    steps: [{ run: echo not this }]
  large:
    runs-on: ubuntu-latest
    strategy: { matrix: { a: "\${{ fromJSON('[1,2,3,4,5,6,7,8,9,10]') }}", b: [1,2,3,4,5,6,7,8,9,10], c: [1,2,3] } }
    steps: [{ run: echo not this }]
  label:
    runs-on: "\${{ fromJSON('{}').x }}"
    steps: [{ run: echo not this }]
`

test('a hostile expression fails its step or its job by name, and the next one runs', async () => {
  using repository = new Repository({ '.github/workflows/hostile.yml': hostile })
  await using shipway = new Shipway()

  const end = await shipway.call(repository.root, 'run', '--json')

  checkRun(end, {
    exit: 1,
    jobs: {
      steps: { steps: `${'failure/success '.repeat(6)}success`, says: ['still here'] },
      matrix: { conclusion: 'failure', reason: 'The matrix must be a mapping' },
      large: { conclusion: 'failure', reason: '300 jobs; 256 are allowed' },
      label: { conclusion: 'failure', reason: '"runs-on" must be a label' },
    },
    says: [
      'the text is longer than 10485760 characters',
      'nested more than 100 levels deep',
      'fromJSON cannot read its text as JSON',
      'The following format string is invalid: {0',
    ],
    never: ['│ not this'],
  })
  expect(end.stderr.length).toBeLessThan(500_000)
})

const noisy = `on: push
jobs:
  noise:
    runs-on: ubuntu-latest
    steps:
      - name: Weigh
        run: &weigh |
          agent=$(awk '/^PPid/ { print $2 }' /proc/$PPID/status)
          echo "weight $(awk '/^VmHWM/ { print $2 }' /proc/$PPID/status) $(awk '/^VmHWM/ { print $2 }' /proc/$agent/status)"
      - { name: Garbage, run: 'head -c 200000 /dev/urandom; echo; printf "\\\\377\\\\376::error::\\\\300\\\\n"; echo after the garbage' }
      - { name: Long line, run: 'head -c 104857600 /dev/zero | tr "\\\\0" x; echo; echo after the long line' }
      - { name: Many lines, run: 'seq 1 1000000 | sed "s/$/ of a million lines/"; echo after the million' }
      - { name: Weigh again, run: *weigh }
`

test(
  'garbage, a line of 100 MB and a million lines are read to their end, and cost neither runner nor agent memory',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ '.github/workflows/noise.yml': noisy })
    await using shipway = new Shipway()

    const weight = await runAndWeigh(shipway, repository)

    const log = await shipway.call(repository.root, 'logs', 'latest', '--step', 'Weigh again')
    expect(log.status).toBe(0)
    const first = await shipway.call(repository.root, 'logs', 'latest', '--step', 'Weigh')
    const before = weightsIn(first.stdout)
    const after = weightsIn(log.stdout)
    const tail = await shipway.call(repository.root, 'logs', 'latest', '--step', 'Many lines', '--tail', '2')
    expect(tail.stdout).toContain('1000000 of a million lines')
    expect(tail.stdout).toContain('after the million')
    // A million lines and the long line are 130 MB; whoever kept them would have grown by that much.
    expect(after.runner - before.runner).toBeLessThan(100_000)
    expect(after.agent - before.agent).toBeLessThan(100_000)
    expect(weight).toBeLessThan(400_000)
  },
)

const stubborn = `on: push
jobs:
  fork:
    runs-on: ubuntu-latest
    steps:
      - name: Fork
        timeout-minutes: 0.005
        run: |
          trap 'echo heard INT' INT; trap 'echo heard TERM' TERM
          (trap '' INT TERM HUP; exec setsid sh -c 'trap "" INT TERM HUP; echo $MARK > /dev/null; while :; do sleep 0.2; done') &
          while :; do sleep 0.2 || true; done
      - { if: always(), run: echo afterwards }
`

test(
  'a step that forks and ignores every signal is ended when its time is over, with all that it has started',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ '.github/workflows/fork.yml': stubborn })
    await using shipway = new Shipway()
    const mark = `stubborn-${path.basename(shipway.home)}`

    const end = await shipway.call(repository.root, 'run', '--json', '--env', `MARK=${mark}`)

    checkRun(end, {
      exit: 1,
      jobs: {
        fork: { conclusion: 'failure', steps: 'failure success', says: ['heard INT', 'heard TERM', 'afterwards'] },
      },
      annotations: ["error The action 'Fork' has timed out after 0.005 minutes."],
    })
    await until('nothing is left of the step', async () => (await processesWith(mark)).length === 0)
  },
)

/** Runs without keeping what is printed. Returns the most memory that the command line had, in kB. */
async function runAndWeigh(shipway: Shipway, repository: Repository): Promise<number> {
  const child = spawn(program, ['run', '--home', shipway.home], {
    cwd: repository.root,
    env: shipway.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let weight = 0
  child.stdout.on('data', () => {
    weight = Math.max(weight, weightOf(child.pid ?? 0))
  })
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  expect(status).toBe(0)
  return weight
}

function weightOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

function weightsIn(text: string): { readonly runner: number; readonly agent: number } {
  const [, runner = '', agent = ''] = /^weight (\d+) (\d+)$/m.exec(text) ?? []
  return { runner: Number(runner), agent: Number(agent) }
}

describe('a bad call of a job', () => {
  test('of an unknown job, an unknown input and a bad matrix is refused before anything runs', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': `on: [push, workflow_dispatch]\njobs: { a: ${job} }\n`,
    })
    await using shipway = new Shipway()
    const refused = async (code: string, ...args: readonly string[]): Promise<void> => {
      const end = await shipway.call(repository.root, 'run', ...args, '--json')
      expect(end.status).toBe(2)
      expect(JSON.parse(end.stdout)).toMatchObject({ kind: 'Error', error: { code, exitCode: 2 } })
    }

    await refused('JOB_NOT_FOUND', '--job', 'b')
    await refused('INPUTS_INVALID', 'workflow_dispatch', '--input', 'x=1')
    await refused('FLAG_INVALID', '--matrix', 'x')
    await refused('FLAG_INVALID', '--platform', 'x=elsewhere')
    await refused('FILE_UNREADABLE', '--event-file', 'nowhere.json')
    await refused('REF_NOT_FOUND', '--ref', 'nowhere')
  })
})
