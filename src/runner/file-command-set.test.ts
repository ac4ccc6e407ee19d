import { afterAll, beforeAll, expect, test } from 'vitest'
import { RunnerRig, messagesOf, printed } from '../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

test.for<readonly [what: string, plant: string]>([
  ['a pipe', 'rm "$GITHUB_OUTPUT" && mkfifo "$GITHUB_OUTPUT"'],
  ['a folder', 'rm "$GITHUB_OUTPUT" && mkdir "$GITHUB_OUTPUT"'],
  ['a device', 'ln -sf /dev/zero "$GITHUB_OUTPUT"'],
])('%s in the place of $GITHUB_OUTPUT fails the step and blocks nobody', async ([, plant]) => {
  const job = await rig.run({ steps: [{ run: plant }, { run: 'echo after', if: 'always()' }] })

  expect(job.result.conclusion).toBe('failure')
  expect(messagesOf(job.result.annotations, 'error').join('\n')).toContain(
    'something that is no file stands in its place',
  )
  expect(printed(job)).toContain('after')
})

test('a pipe that was put where the next step writes its outputs is replaced by a file', async () => {
  const job = await rig.run({
    steps: [
      { run: 'for number in 2 3 4; do mkfifo "${GITHUB_OUTPUT%_*}_$number"; done' },
      { run: 'echo word=hi >> "$GITHUB_OUTPUT"', id: 'say' },
      { run: 'echo said' },
    ],
  })

  expect(job.result.conclusion).toBe('success')
  expect(printed(job)).toContain('said')
})
