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

test('GITHUB_ARTIFACTS declares files and images, and later steps of the job read what was declared', async () => {
  const digest = `sha256:${'0a'.repeat(32)}`
  const job = await rig.run({
    steps: [
      { run: 'cat "$GITHUB_ARTIFACTS_LIST"; printf hello > out.txt; mkdir sub' },
      {
        run: `echo out.txt >> "$GITHUB_ARTIFACTS"; echo "oci://acme/app@${digest}" >> "$GITHUB_ARTIFACTS"`,
        workingDirectory: 'sub',
      },
      { run: 'echo; cat "$GITHUB_ARTIFACTS_LIST"' },
    ],
  })
  const hello = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  expect(printed(job)).toEqual([
    '{"version":1,"subjects":[]}',
    '',
    `{"version":1,"subjects":[{"name":"acme/app","digest":"${digest}","kind":"oci"},{"name":"out.txt","digest":"${hello}","kind":"file"}]}`,
  ])
  expect(job.log).toContain('Captured 2 artifact subject(s) from this step (job total: 2).')
})

test.for<readonly [what: string, line: string, reason: string]>([
  ['a file that is not there', 'none.txt', 'line 1: "none.txt" is not there'],
  ['a folder', '.', 'line 1: "." is no file'],
  ['a line that nobody understands', 'a=b', 'line 1: entries with "=" are reserved'],
])('%s in GITHUB_ARTIFACTS fails the step, and nothing of it is declared', async ([, line, reason]) => {
  const job = await rig.run({
    steps: [{ run: `echo '${line}' >> "$GITHUB_ARTIFACTS"` }, { run: 'cat "$GITHUB_ARTIFACTS_LIST"', if: 'always()' }],
  })
  expect(job.result).toMatchObject({ conclusion: 'failure', reason: expect.stringContaining(reason) })
  expect(printed(job)).toEqual(['{"version":1,"subjects":[]}'])
})
