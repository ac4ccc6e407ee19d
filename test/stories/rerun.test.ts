import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

/** `flaky` fails until the file `mended` is there; everybody notes that it has run, in which attempt. */
const workflow = `name: CI
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    outputs: { version: '\${{ steps.v.outputs.version }}' }
    steps:
      - { id: v, run: 'echo "build $GITHUB_RUN_ATTEMPT" >> "$NOTES/notes"; echo "version=1.$RANDOM" >> "$GITHUB_OUTPUT"' }
  flaky:
    needs: build
    runs-on: ubuntu-latest
    strategy: { fail-fast: false, matrix: { os: [linux, bsd] } }
    steps:
      - run: echo "flaky \${{ matrix.os }} \${{ github.run_attempt }}" >> "$NOTES/notes"; echo "attempt $GITHUB_RUN_ATTEMPT of \${{ matrix.os }}" | tee -a "$GITHUB_STEP_SUMMARY"; [ \${{ matrix.os }} = linux ] || [ -e "$NOTES/mended" ]
  after:
    needs: [build, flaky]
    runs-on: ubuntu-latest
    steps: [{ run: 'echo "after \${{ needs.build.outputs.version }}" >> "$NOTES/notes"' }]
  other: { runs-on: ubuntu-latest, steps: [{ run: 'echo "other" >> "$NOTES/notes"' }] }
`

/** `check` fails until it is mended; it needs a file, an output, a variable and a program of the step before. */
const stepwise = `name: Steps
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - name: Slow build
        id: build
        run: |
          echo build >> "$NOTES/notes"; echo kept > file
          mkdir bin; printf '#!/bin/sh\\necho tool\\n' > bin/tool; chmod +x bin/tool
          echo "n=7" >> "$GITHUB_OUTPUT"; echo "FROM=from-env" >> "$GITHUB_ENV"; echo "$PWD/bin" >> "$GITHUB_PATH"
          echo "HIDDEN=\${{ secrets.KEY }}" >> "$GITHUB_ENV"
      - { id: check, run: 'echo "check $(cat file) \${{ steps.build.outputs.n }} $FROM $(tool)" >> "$NOTES/notes"; [ -e "$NOTES/mended" ]' }
      - run: echo done >> "$NOTES/notes"
  b: { needs: a, runs-on: ubuntu-latest, steps: [{ run: 'echo b >> "$NOTES/notes"' }] }
`

/** `ci` calls `lib.yml`, which builds for itself and calls `deep.yml`; what fails there is mended by a file. */
const calling = {
  '.github/workflows/ci.yml': `name: CI
on: push
jobs:
  ci: { uses: ./.github/workflows/lib.yml, strategy: { fail-fast: false, matrix: { os: [linux, bsd] } }, with: { os: '\${{ matrix.os }}' } }
  after: { needs: ci, runs-on: linux, steps: [{ run: 'echo "after \${{ needs.ci.outputs.all }}" >> "$NOTES/notes"' }] }
`,
  '.github/workflows/lib.yml': `on:
  workflow_call:
    inputs: { os: { type: string } }
    outputs: { all: { value: '\${{ jobs.build.outputs.v }}, \${{ jobs.deep.outputs.v }}' } }
jobs:
  build:
    runs-on: linux
    outputs: { v: 'built in \${{ github.run_attempt }}' }
    steps: [{ run: 'echo "build \${{ inputs.os }} \${{ github.run_attempt }}" >> "$NOTES/notes"' }]
  deep: { needs: build, uses: $/.github/workflows/deep.yml, with: { os: '\${{ inputs.os }}' } }
`,
  '.github/workflows/deep.yml': `on:
  workflow_call:
    inputs: { os: { type: string } }
    outputs: { v: { value: 'tested in \${{ jobs.test.outputs.v }}' } }
jobs:
  easy: { runs-on: linux, steps: [{ run: 'echo "easy \${{ inputs.os }} \${{ github.run_attempt }}" >> "$NOTES/notes"' }] }
  test:
    runs-on: linux
    outputs: { v: '\${{ github.run_attempt }}' }
    steps: [{ id: t, run: 'echo "test \${{ inputs.os }} \${{ github.run_attempt }}" >> "$NOTES/notes"; [ \${{ inputs.os }} = linux ] || [ -e "$NOTES/mended" ]' }]
`,
}

function notes(shipway: Shipway): readonly string[] {
  const file = path.join(shipway.home, 'notes')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}

describe('A finished run', { tags: ['slow'] }, () => {
  test('runs again what failed and what needs it, keeps the rest, and its first attempt stays readable', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    const first = await call('run', 'push', '--env', `NOTES=${shipway.home}`)
    expect(first).toMatchObject({ status: 1, stdout: expect.stringMatching(/again: shipway rerun run_\w+ --failed/) })
    expect(notes(shipway).toSorted()).toEqual(['build 1', 'flaky bsd 1', 'flaky linux 1', 'other'])

    writeFileSync(path.join(shipway.home, 'mended'), '')
    const second = await call('rerun', '1', '--failed', '--json')
    expect(second.status).toBe(0)
    const document = JSON.parse(second.stdout) as {
      attempt: number
      conclusion: string
      jobs: { key: string; conclusion: string; outputs: Record<string, string> }[]
    }
    expect(document).toMatchObject({ attempt: 2, conclusion: 'success' })
    const version = document.jobs.find(({ key }) => key === 'build')?.outputs['version'] ?? 'none'
    expect(notes(shipway).slice(4)).toEqual(['flaky bsd 2', `after ${version}`])

    const old = await call('logs', '1', '--attempt', '1', '--job', 'flaky.1')
    expect(old.stdout).toContain('attempt 1 of bsd')
    const runs = path.join(shipway.home, 'runs')
    const summary = (attempt: number) =>
      readFileSync(path.join(runs, readdirSync(runs)[0] ?? '', `summary/flaky.1.${attempt}.md`), 'utf8')
    expect([summary(1), summary(2)]).toEqual(['attempt 1 of bsd\n', 'attempt 2 of bsd\n'])
    expect((await call('logs', '1', '--job', 'flaky.1')).stdout).toContain('attempt 2 of bsd')
    expect(await call('logs', '1', '--attempt', '3')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('its latest is attempt 2'),
    })
    expect(await call('rerun', '1', '--failed')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('RERUN_NOTHING_FAILED'),
    })
  })

  test('runs all of it again, or one job and what needs it', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    writeFileSync(path.join(shipway.home, 'mended'), '')
    expect((await call('run', 'push', '--env', `NOTES=${shipway.home}`)).status).toBe(0)
    const before = notes(shipway).length

    expect((await call('rerun', 'latest', '--job', 'flaky.0')).status).toBe(0)
    expect(notes(shipway).slice(before)).toEqual(['flaky linux 2', expect.stringMatching(/^after 1\./)])

    expect((await call('rerun', 'latest')).status).toBe(0)
    expect(
      notes(shipway)
        .slice(before + 2)
        .toSorted(),
    ).toEqual([expect.stringMatching(/^after 1\./), 'build 3', 'flaky bsd 3', 'flaky linux 3', 'other'])
    expect(await call('rerun', 'latest', '--job', 'nobody')).toMatchObject({ status: 2 })
  })

  test('runs again only those jobs of called workflows that failed or that are named, and hands up what the others said before', async () => {
    using repository = new Repository(calling)
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    expect((await call('run', 'push', '--env', `NOTES=${shipway.home}`)).status).toBe(1)
    const before = notes(shipway).length
    expect(before).toBe(6)

    writeFileSync(path.join(shipway.home, 'mended'), '')
    const second = await call('rerun', '1', '--failed', '--json')
    expect(second.status, second.stderr).toBe(0)
    expect(notes(shipway).slice(before)).toEqual(['test bsd 2', 'after built in 1, tested in 2'])
    const { jobs } = JSON.parse(second.stdout) as { jobs: { key: string; outputs: Record<string, string> }[] }
    expect(jobs.map(({ key }) => key)).toEqual(
      ['ci.0', 'ci.1']
        .flatMap((leg) => [leg, `${leg}.build`, `${leg}.deep`, `${leg}.deep.easy`, `${leg}.deep.test`])
        .concat('after'),
    )
    expect(jobs.find(({ key }) => key === 'ci.0')?.outputs).toEqual({ all: 'built in 1, tested in 1' })

    const third = await call('rerun', '1', '--job', 'ci.0/deep/easy')
    expect(third.status, third.stderr).toBe(0)
    expect(notes(shipway).slice(before + 2)).toEqual([
      'easy linux 3',
      expect.stringMatching(/^after built in 1, tested in [12]$/),
    ])
    const old = await call('logs', '1', '--attempt', '1', '--job', 'ci.1/deep/test')
    expect(old.stdout).toContain('exit code 1')

    const fourth = await call('rerun', '1', '--from-step', 'ci.1/deep/test:1')
    expect(fourth.stderr).toContain('RERUN_WORK_GONE')
  })

  test('goes on from a step of a job that failed, in its workspace and with what the steps before it left', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': stepwise })
    await using shipway = new Shipway()
    Object.assign(shipway.env, { KEY: 'opensesame' })
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    expect((await call('run', 'push', '--env', `NOTES=${shipway.home}`, '--secret', 'KEY')).status).toBe(1)
    expect(await call('rerun', '1', '--from-step', 'a:nowhere', '--secret', 'KEY')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('Slow build'),
    })

    writeFileSync(path.join(shipway.home, 'mended'), '')
    const again = await call('rerun', '1', '--from-step', 'a:check', '--secret', 'KEY')
    expect(again.status).toBe(0)
    const log = await call('logs', '1', '--job', 'a')
    expect(log.stdout).toContain('Not kept, because they held a secret: HIDDEN')
    expect(again.stdout).toContain('✓ Slow build')
    expect(notes(shipway)).toEqual(['build', 'check kept 7 from-env tool', 'check kept 7 from-env tool', 'done', 'b'])

    expect(await call('rerun', '1', '--from-step', 'a:check', '--secret', 'KEY')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('RERUN_WORK_GONE'),
    })
  })

  test('asks for its secrets again, because their values are gone, and refuses while it goes on', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml':
        'name: CI\non: push\njobs: { a: { runs-on: ubuntu-latest, steps: [{ run: "[ ${{ secrets.KEY }} = opensesame ]; until [ -e $NOTES/go ]; do sleep 0.02; done" }] } }\n',
    })
    await using shipway = new Shipway()
    Object.assign(shipway.env, { KEY: 'opensesame' })
    const run = shipway.start(repository.root, 'run', 'push', '--secret', 'KEY', '--env', `NOTES=${shipway.home}`)
    await run.prints('a started')
    expect(await shipway.call(repository.root, 'rerun', '1')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('RUN_NOT_FINISHED'),
    })
    writeFileSync(path.join(shipway.home, 'go'), '')
    expect((await run.ended).status).toBe(0)

    expect(await shipway.call(repository.root, 'rerun', '1')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('--secret KEY'),
    })
    expect((await shipway.call(repository.root, 'rerun', '1', '--secret', 'KEY')).status).toBe(0)
  })
})
