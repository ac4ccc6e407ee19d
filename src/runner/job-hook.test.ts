import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { messagesOf, printed, RunnerRig, textIn } from '../../test/rig/runner.ts'
import type { EndedJob } from '../../test/rig/runner.ts'

const started = 'ACTIONS_RUNNER_HOOK_JOB_STARTED'
const completed = 'ACTIONS_RUNNER_HOOK_JOB_COMPLETED'

/** Scripts of the machine's owner. */
class Owner implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'shipway-hook-'))

  script(name: string, text: string): string {
    const path = join(this.folder, name)
    writeFileSync(path, text)
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true })
  }
}

function shown(job: EndedJob): readonly string[] {
  return job.steps.map((step) => `${step.number} ${step.name}: ${step.conclusion}`)
}

describe('the hooks of the owner of a machine', () => {
  test('run before and after everything of a job, as steps of their own, and speak like steps', async () => {
    using owner = new Owner()
    const before = owner.script(
      'before.sh',
      'echo "::warning::this pool closes soon"; echo POOL=old >> "$GITHUB_ENV"; mkdir -p "$RUNNER_TEMP/tools"; echo "$RUNNER_TEMP/tools" >> "$GITHUB_PATH"\n' +
        'printf "#!/bin/sh\\necho tool\\n" > "$RUNNER_TEMP/tools/tool"; chmod +x "$RUNNER_TEMP/tools/tool"\n' +
        'echo "job $GITHUB_JOB env [$OF_WORKFLOW] action [$GITHUB_ACTION] event $(cat "$GITHUB_EVENT_PATH")"; echo "::add-mask::hidden-word"\n',
    )
    const after = owner.script(
      'after.sh',
      'echo "after in $PWD with [$POOL]"; false | true; echo x=1 >> "$GITHUB_OUTPUT"\n',
    )
    await using rig = RunnerRig.start({}, { [started]: before, [completed]: after })

    const job = await rig.run({
      env: { OF_WORKFLOW: 'from the workflow' },
      steps: [{ id: 'a', run: 'tool; echo "$POOL hidden-word [$ACTIONS_RUNNER_HOOK_JOB_STARTED]"' }],
    })

    expect(job.result.conclusion).toBe('success')
    expect(shown(job)).toEqual([
      '0 Set up job: success',
      '1 Set up runner: success',
      expect.stringMatching(/^2 Run tool/),
      '3 Complete runner: success',
    ])
    expect(printed(job)).toEqual([
      '##[warning]this pool closes soon',
      'job build env [] action [] event {"after":"abc"}',
      'tool',
      'old *** []',
      `after in ${job.order.paths.workspace} with []`,
    ])
    expect(messagesOf(job.result.annotations, 'warning')).toEqual(['this pool closes soon'])
    expect(job.log).toContain(`##[group]Run '${before}'\nshell: /usr/bin/bash -e {0}`)
  })

  test('fail the job when they fail: the first one lets only run what always runs, the second one comes too late for that', async () => {
    using owner = new Owner()
    const bad = owner.script('bad.sh', 'echo no; exit 3\n')
    const steps = [{ run: 'echo never' }, { run: 'echo always', if: 'always()' }]
    await using first = RunnerRig.start({}, { [started]: bad })
    await using second = RunnerRig.start({}, { [completed]: bad })

    const early = await first.run({ steps })
    const late = await second.run({ steps })

    expect(printed(early)).toEqual(['no', 'always'])
    expect(early.result).toMatchObject({
      conclusion: 'failure',
      reason: 'The job started hook of this machine failed: Process completed with exit code 3.',
    })
    expect(printed(late)).toEqual(['never', 'always', 'no'])
    expect(late.result).toMatchObject({
      conclusion: 'failure',
      reason: 'The job completed hook of this machine failed: Process completed with exit code 3.',
    })
    expect(shown(late).at(-1)).toBe('3 Complete runner: failure')
  })

  test.each([
    ['/nowhere/hook.sh', 'there is no such file'],
    ['hook.sh', 'it is no absolute path'],
    ['/bin/true', 'it ends neither with .sh nor with .ps1'],
  ])('are refused with the name of the variable when they cannot run: %s', async (path, problem) => {
    await using rig = RunnerRig.start({}, { [started]: path })

    const job = await rig.run({ steps: [{ run: 'echo never' }] })

    expect(job.result).toMatchObject({ conclusion: 'failure', reason: expect.stringContaining(problem) })
    expect(job.log).toContain(`Correct ${started}`)
  })

  test('are not stopped by a cancel, and the last one sees what was cancelled end', async () => {
    using owner = new Owner()
    const file = join(owner.folder, 'notes')
    const after = owner.script('after.sh', `echo after >> ${file}\n`)
    await using rig = RunnerRig.start({ interruptMs: 200, terminateMs: 200 }, { [completed]: after })
    const order = rig.begin({ steps: [{ run: `echo begun >> ${file}; while :; do sleep 0.1; done` }] })
    await textIn(file)

    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'by hand' })
    const job = await rig.ended(order)

    expect(job.result.conclusion).toBe('cancelled')
    expect(readFileSync(file, 'utf8')).toBe('begun\nafter\n')
  })
})

test('the event is there again for each step, whatever a step before it did to its file', async () => {
  await using rig = RunnerRig.start()

  const job = await rig.run({
    steps: [
      { run: 'echo broken > "$GITHUB_EVENT_PATH"' },
      { run: 'cat "$GITHUB_EVENT_PATH"; rm -r "$(dirname "$GITHUB_EVENT_PATH")"' },
      { run: 'cat "$GITHUB_EVENT_PATH"; rm "$GITHUB_EVENT_PATH"; mkfifo "$GITHUB_EVENT_PATH"' },
      { run: 'cat "$GITHUB_EVENT_PATH"' },
    ],
  })

  expect(printed(job)).toEqual(
    Array.from({ length: 3 }, () => '{"after":"abc"}')
      .join('')
      .match(/\{.*?\}/g),
  )
})

test('ACTIONS_RUNNER_DEBUG tells what the runner does, and never a value', async () => {
  await using rig = RunnerRig.start({}, { SECRET_OF_MACHINE: 'do not tell' })

  const job = await rig.run({ secrets: { ACTIONS_RUNNER_DEBUG: 'true' }, steps: [{ run: 'exit 4' }] })

  expect(job.log).toMatch(/##\[debug\]Runner process \d+, Node v\d+/)
  expect(job.log).toMatch(/##\[debug\]Start on the machine: \/usr\/bin\/bash -e .*\.sh/)
  expect(job.log).toMatch(/##\[debug\]Ended with exit code 4 after \d+ ms/)
  expect(job.log).toContain('SECRET_OF_MACHINE')
  expect(job.log).not.toContain('do not tell')
})
