import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import { RunnerRig, printed } from '../../../test/rig/runner.ts'
import type { TestJob } from '../../../test/rig/runner.ts'

let rig: RunnerRig
let repository: Repository
let sha: string
beforeAll(() => {
  rig = RunnerRig.start()
  repository = new Repository({
    'tools/say/action.yml': composite('echo "said here" "${{ github.action_ref }}"', '$/tools/deeper'),
    'tools/deeper/action.yml': composite('echo "deeper in $GITHUB_ACTION_REPOSITORY"; ls "$GITHUB_ACTION_PATH"'),
    'tools/pre/action.yml': 'name: Pre\nruns: { using: node24, pre: pre.js, main: main.js }\n',
    'tools/pre/pre.js': 'console.log("before all")',
    'tools/pre/main.js': 'console.log("main")',
    'local/action.yml': composite('echo local', '$/tools/deeper'),
  })
  sha = repository.git('rev-parse', 'HEAD')
  repository.commit({ 'tools/say/action.yml': composite('echo "of a later commit"') })
})
afterAll(async () => {
  repository[Symbol.dispose]()
  await rig[Symbol.asyncDispose]()
})

function composite(run: string, uses?: string): string {
  const more = uses === undefined ? [] : [{ uses }]
  return JSON.stringify({ name: 'Say', runs: { using: 'composite', steps: [{ run, shell: 'bash' }, ...more] } })
}

const run = (job: TestJob) =>
  rig.run({
    source: { repository: repository.root, sha, ref: 'refs/heads/main' },
    github: { repository: 'acme/app', sha },
    ...job,
  })

describe('`uses: $/path`', () => {
  test('runs an action of the commit that runs, though nothing is checked out, and its own `$/` is the same commit', async () => {
    const before = repository.git('status', '--porcelain')
    const job = await run({ steps: [{ uses: '$/tools/say' }, { run: 'ls -A | wc -l' }] })
    expect(printed(job)).toEqual([`said here ${sha}`, 'deeper in acme/app', 'action.yml', '0'])
    expect(job.steps.map(({ name }) => name)).toContain('Run $/tools/say')
    expect(job.log).toContain(`Use the actions of this repository (commit ${sha})`)
    expect(repository.git('status', '--porcelain')).toBe(before)
  })

  test('is there before all steps: it may have a pre stage', async () => {
    const job = await run({ steps: [{ run: 'echo first' }, { uses: '$/tools/pre' }] })
    expect(printed(job)).toEqual(['before all', 'first', 'main'])
  })

  test('in an action of the workspace is the commit all the same', async () => {
    const job = await run({
      steps: [{ uses: 'actions/checkout@v4' }, { run: 'rm -r tools' }, { uses: './local' }],
    })
    expect(printed(job)).toEqual(['local', 'deeper in acme/app', 'action.yml'])
  })

  test('in an action of another repository is that repository, at the ref that the job uses', async () => {
    const asked: string[] = []
    rig.answer = (request) => {
      if (request.kind !== 'action') return undefined
      asked.push(request.uses)
      return { folder: join(rig.root, 'store'), commit: 'c'.repeat(40) }
    }
    for (const [file, text] of Object.entries({
      'action.yml': composite('echo outer', '$/inner'),
      'inner/action.yml': composite('echo inner'),
    })) {
      mkdirSync(dirname(join(rig.root, 'store', file)), { recursive: true })
      writeFileSync(join(rig.root, 'store', file), text)
    }
    const job = await run({ steps: [{ uses: 'acme/lib@v3' }] })
    expect(printed(job)).toEqual(['outer', 'inner'])
    expect(asked).toEqual(['acme/lib@v3', 'acme/lib/inner@v3'])
  })

  test('fails in "Set up job" where the commit has no such action, or the repository no such commit', async () => {
    const missing = await run({ steps: [{ uses: '$/none' }, { run: 'echo never' }] })
    expect(missing.result).toMatchObject({ conclusion: 'failure', reason: expect.stringContaining('$/none') })
    const gone = await run({
      steps: [{ uses: '$/tools/say' }],
      source: { repository: repository.root, sha: 'a'.repeat(40), ref: 'refs/heads/main' },
    })
    expect(gone.result.reason).toContain('cannot be checked out')
  })
})
