/**
 * The command line of `shipway run` is a contract: others call it. Each option alone and with others, the three exit statuses, and what
 * `--json` prints in every ending.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { LiveAgent } from '../rig/live-agent.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import type { CallResult } from '../rig/shipway.ts'
import { until } from '../rig/web-fleet.ts'

const ci = `name: CI
run-name: CI of \${{ github.actor }}
on:
  push:
  pull_request:
  workflow_dispatch: { inputs: { who: { default: nobody }, loud: { type: boolean } } }
jobs:
  build:
    runs-on: \${{ vars.LABEL || 'ubuntu-latest' }}
    strategy: { matrix: { n: [1, 2], os: [x, y] } }
    outputs: { leg: '\${{ matrix.n }}\${{ matrix.os }}' }
    steps:
      - { id: say, name: Say, run: 'echo "event \${{ github.event_name }} ref \${{ github.ref }} repository \${{ github.repository }} actor \${{ github.actor }}"' }
      - { run: 'echo "input \${{ inputs.who }} \${{ inputs.loud }} var \${{ vars.WHERE }} env $EXTRA secret \${{ secrets.TOKEN }} \${{ secrets.OTHER }} number \${{ github.event.number }}"' }
      - { run: 'echo "::notice file=a.js,line=1::from leg \${{ matrix.n }}"' }
  after: { needs: build, runs-on: ubuntu-latest, steps: [{ run: 'echo after' }] }
`
const red = `name: Red
on: push
jobs:
  red: { runs-on: ubuntu-latest, outputs: { kept: yes }, steps: [{ id: bad, run: exit 4 }, { run: echo never }] }
  next: { needs: red, runs-on: ubuntu-latest, steps: [{ run: echo never }] }
`
const files = {
  'flows/ci.yml': ci,
  'other/red.yml': red,
  'event.json': '{"number": 7, "pull_request": {"number": 7, "head": {"ref": "topic"}, "base": {"ref": "main"}}}',
}

interface Run {
  readonly [member: string]: unknown
  readonly jobs: readonly {
    readonly name: string
    readonly conclusion: string
    readonly outputs: Readonly<Record<string, string>>
    readonly steps: readonly Readonly<Record<string, unknown>>[]
  }[]
}

describe('shipway run', { tags: ['slow'] }, () => {
  test('takes every option of the contract, alone and with others', async () => {
    using repository = new Repository(files)
    await using agent = await LiveAgent.start()
    const shipway = agent.client({ OTHER: 'second secret' })
    repository.git('tag', 'v1.0.0')
    using outside = new Folder()
    writeFileSync(outside.at('secrets'), 'TOKEN="first secret"\n', { mode: 0o600 })
    const run = async (...args: readonly string[]): Promise<{ readonly document: Run; readonly log: string }> => {
      const end = await shipway.call(outside.path, 'run', ...args, '-C', repository.root, '--json')
      expect(end.status, end.stderr + end.stdout).toBe(0)
      return { document: documentOf(end) as Run, log: end.stderr }
    }

    const plain = await run('--workflow', 'flows/ci.yml')
    expect(plain.document).toMatchObject({ kind: 'Run', event: 'push', ref: 'refs/heads/main', conclusion: 'success' })
    expect(namesOf(plain.document)).toEqual(['after', 'build (1, x)', 'build (1, y)', 'build (2, x)', 'build (2, y)'])
    expect(plain.log).toContain('input   var')

    const folder = await run(
      'pull_request',
      '--workflow',
      'flows',
      '--event-file',
      path.join(repository.root, 'event.json'),
    )
    expect(folder.document).toMatchObject({ event: 'pull_request', ref: 'refs/pull/7/merge' })
    expect(folder.log).toContain('number 7')

    const narrow = await run('push', '--workflow', 'flows', '--job', 'build', '--matrix', 'n:2', '--matrix', 'os:x')
    expect(namesOf(narrow.document)).toEqual(['build (2, x)'])
    expect(narrow.document.jobs[0]?.outputs).toEqual({ leg: '2x' })

    const named = await run(
      'push',
      '--workflow',
      'flows',
      '--ref',
      'v1.0.0',
      '--repository',
      'acme/web',
      '--actor',
      'ann',
    )
    expect(named.document).toMatchObject({ ref: 'refs/tags/v1.0.0', actor: 'ann', title: 'CI of ann' })
    expect(named.log).toContain('event push ref refs/tags/v1.0.0 repository acme/web actor ann')

    const values = await run(
      'workflow_dispatch',
      '--workflow',
      'flows',
      '--input=who=ann=b',
      '--input=loud=true',
      '--var=WHERE=here',
      '--env=EXTRA=more',
      '--secret-file',
      outside.at('secrets'),
      '--secret=OTHER',
      '--matrix=n:1',
      '--jobs=1',
    )
    expect(values.document).toMatchObject({ event: 'workflow_dispatch' })
    expect(values.log).toContain('input ann=b true var here env more secret *** *** number')
    expect(values.log + JSON.stringify(values.document)).not.toMatch(/first secret|second secret/)

    const labelled = await run(
      '--workflow',
      'flows',
      '--var',
      'LABEL=big-one',
      '--platform',
      'big-one=host',
      '--job',
      'build',
    )
    expect(labelled.document.conclusion).toBe('success')
  })

  test('a home of its own is as good as any', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    using outside = new Folder()
    shipway.env['SHIPWAY_HOME'] = outside.at('not-this')

    expect((await shipway.call(repository.root, 'run', '--workflow', 'flows', '--job', 'build')).status).toBe(0)
    expect(existsSync(path.join(shipway.home, 'state.db'))).toBe(true)
    expect(existsSync(outside.at('not-this'))).toBe(false)
  })
})

describe('shipway run --json', { tags: ['slow'] }, () => {
  test('prints the members of the contract for a green run, and keeps the log on standard error', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()

    const end = await shipway.call(repository.root, 'run', '--workflow', 'flows', '--json')

    expect(end.status).toBe(0)
    const run = documentOf(end) as Run
    expect(run).toMatchObject({
      apiVersion: 'v1',
      kind: 'Run',
      id: expect.stringMatching(/^run_/),
      event: 'push',
      conclusion: 'success',
    })
    for (const job of run.jobs) {
      expect(job).toMatchObject({ id: expect.any(String), name: expect.any(String), conclusion: 'success' })
      for (const step of job.steps) {
        expect(step).toMatchObject({
          id: expect.any(String),
          name: expect.any(String),
          outcome: 'success',
          conclusion: 'success',
          durationMs: expect.any(Number),
        })
      }
    }
    expect(run['annotations']).toHaveLength(4)
    expect(end.stderr).toContain('build (1, x) │ event push')
  })

  test('for a red one, with status 1', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()

    const end = await shipway.call(repository.root, 'run', '--workflow', 'other', '--json')

    expect(end.status).toBe(1)
    const run = documentOf(end) as Run
    expect(run).toMatchObject({
      kind: 'Run',
      conclusion: 'failure',
      annotations: [{ level: 'error', message: 'Process completed with exit code 4.' }],
    })
    expect(run.jobs.find((job) => job.name === 'red')).toMatchObject({
      conclusion: 'failure',
      outputs: { kept: 'yes' },
      steps: [
        { id: 'bad', outcome: 'failure', conclusion: 'failure' },
        { outcome: 'skipped', conclusion: 'skipped' },
      ],
    })
    expect(run.jobs.find((job) => job.name === 'next')).toMatchObject({ conclusion: 'skipped', steps: [] })
    expect(end.stderr).toContain('red failed')
  })

  test('for a cancelled one', async () => {
    using repository = new Repository({
      '.github/workflows/slow.yml':
        'on: push\njobs: { slow: { runs-on: ubuntu-latest, steps: [{ run: \'touch "$NOTE"; exec sleep 60\' }, { if: always(), run: echo cleaned }] } }\n',
    })
    await using shipway = new Shipway()
    using outside = new Folder()

    const call = shipway.start(repository.root, 'run', '--json', '--env', `NOTE=${outside.at('begun')}`)
    await until('the step has begun', () => existsSync(outside.at('begun')))
    call.child.kill('SIGINT')
    const end = await call.ended

    expect(end.status).toBe(130)
    expect(documentOf(end)).toMatchObject({
      kind: 'Run',
      conclusion: 'cancelled',
      jobs: [{ conclusion: 'cancelled', steps: [{ outcome: 'cancelled' }, { outcome: 'success' }] }],
    })
  })

  test('for a plan, which runs nothing', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()

    const end = await shipway.call(
      repository.root,
      'run',
      '--workflow',
      'flows',
      '--dry-run',
      '--matrix',
      'n:2',
      '--json',
    )

    expect(end.status).toBe(0)
    expect(documentOf(end)).toMatchObject({
      apiVersion: 'v1',
      kind: 'Plan',
      items: [{ file: 'flows/ci.yml', runs: true, jobs: [{ id: 'build', legs: [{}, {}] }, { id: 'after' }] }],
    })
    expect((await shipway.call(repository.root, 'ps', '--all', '-q')).stdout).toBe('')
  })

  test('for a matrix that nothing matches: nothing runs, and the values are told', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    for (const flags of [[], ['--dry-run']]) {
      const end = await shipway.call(repository.root, 'run', '--workflow', 'flows', '--matrix', 'os:z', ...flags)
      expect(end).toMatchObject({ status: 2, stderr: expect.stringContaining('os: x, y') })
      expect(end.stderr).toContain('MATRIX_UNMATCHED')
    }

    expect((await shipway.call(repository.root, 'ps', '--all', '-q')).stdout).toBe('')
  })

  test.for([
    ['an unknown option', 'CALL_INVALID', ['--nonsense']],
    ['a second event', 'CALL_INVALID', ['push', 'pull_request']],
    ['a pair without a separator', 'FLAG_INVALID', ['--input', 'who']],
    ['a number that is none', 'FLAG_INVALID', ['--jobs', 'many']],
    ['an unknown job', 'JOB_NOT_FOUND', ['--workflow', 'flows', '--job', 'nowhere']],
    ['an event that nothing answers', 'WORKFLOW_NOT_TRIGGERED', ['release', '--workflow', 'flows']],
    ['a workflow that is not there', 'WORKFLOW_NOT_FOUND', ['--workflow', 'nowhere']],
    ['a secret that nobody set', 'SECRET_MISSING', ['--workflow', 'flows', '--secret', 'NOBODY_SET_IT']],
  ] as const)('for %s, with status 2', async ([, code, args]) => {
    using repository = new Repository(files)
    await using shipway = new Shipway()

    const end = await shipway.call(repository.root, 'run', ...args, '--json')

    expect(end.status).toBe(2)
    expect(documentOf(end)).toMatchObject({ apiVersion: 'v1', kind: 'Error', error: { code, exitCode: 2 } })
  })
})

test('what a job wrote into its summary is named at the end, and can be read there', { tags: ['slow'] }, async () => {
  const job = (id: string, script: string) => `  ${id}: { runs-on: ubuntu-latest, steps: [{ run: '${script}' }] }\n`
  const said = job('said', 'echo "# All is well" >> "$GITHUB_STEP_SUMMARY"')
  using repository = new Repository({
    '.github/workflows/ci.yml': `on: push\njobs:\n${said}${job('silent', 'true')}`,
  })
  await using shipway = new Shipway()

  const end = await shipway.call(repository.root, 'run')

  const named = end.stdout.split('\n').filter((line) => line.startsWith('summary: '))
  expect(named.map((line) => readFileSync(line.slice('summary: '.length), 'utf8').trim())).toEqual(['# All is well'])
})

/** Exactly one document stands on standard output. */
function documentOf(end: CallResult): unknown {
  expect(end.stdout.trimEnd().split('\n')).toHaveLength(1)
  return JSON.parse(end.stdout)
}

function namesOf(run: Run): readonly string[] {
  return run.jobs.map((job) => job.name).toSorted()
}

class Folder implements Disposable {
  readonly path = mkdtempSync(path.join(tmpdir(), 'shipway-folder-'))

  at(name: string): string {
    return path.join(this.path, name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
