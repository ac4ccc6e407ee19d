import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, expr, messagesOf, printed } from '../../test/rig/runner.ts'
import type { EndedJob, TestJob, TestStep } from '../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start({ interruptMs: 20_000, terminateMs: 20_000 })
})
afterAll(() => rig[Symbol.asyncDispose]())

const run = (job: TestJob): Promise<EndedJob> => rig.run(job)

/** A background step with this script. */
const beside = (id: string, script: string, rest: TestStep = {}): TestStep => ({
  id,
  run: script,
  background: true,
  ...rest,
})
const always = { if: 'always()' }
const wait = (...steps: readonly string[]): TestStep => ({ ...always, name: 'Wait', control: { kind: 'wait', steps } })
const waitAll: TestStep = { ...always, name: 'Wait for all', control: { kind: 'wait-all' } }
const cancel = (id: string): TestStep => ({ ...always, name: 'Cancel', control: { kind: 'cancel', steps: [id] } })

/** Waits for a file that another step makes. */
const until = (file: string): string => `until [ -e "$RUNNER_TEMP/${file}" ]; do sleep 0.02; done`
const touch = (file: string): string => `touch "$RUNNER_TEMP/${file}"`

function conclusions(job: EndedJob): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    job.steps.filter(({ id }) => !id.startsWith('__set')).map(({ id, name, conclusion }) => [id || name, conclusion]),
  )
}

describe('background steps', () => {
  test('run beside the steps that follow, each of which can need what the other does', async () => {
    const job = await run({
      steps: [
        beside('server', `${until('asked')}; ${touch('answered')}; echo served`),
        { run: `${touch('asked')}; ${until('answered')}; echo client` },
        wait('server'),
      ],
    })
    expect(job.result.conclusion).toBe('success')
    expect(printed(job).toSorted()).toContain('client')
    expect(job.lines.filter(({ text }) => text === 'served').map(({ step }) => step)).toEqual([1])
    expect(job.lines.filter(({ text }) => text === 'client').map(({ step }) => step)).toEqual([2])
    expect(job.log).toContain('Waiting for background step(s) to complete: server')
  })

  test('leave outputs, variables and PATH when somebody has waited for them, not before', async () => {
    const script = `echo v=7 >> "$GITHUB_OUTPUT"; echo A=of-step >> "$GITHUB_ENV"; echo /from/step >> "$GITHUB_PATH"; ${touch('done')}`
    const look = { run: expr('format(\'echo "look {0} $A $(echo $PATH | grep -c /from/step)"\', steps.s.outputs.v)') }
    const job = await run({
      steps: [
        beside('s', script, { env: { OWN: 'x' } }),
        { run: `${until('done')}; echo B=later >> "$GITHUB_ENV"` },
        look,
        wait('s'),
        look,
        { run: 'echo "$B"' },
      ],
    })
    expect(printed(job).filter((line) => /^(?:look|later)/.test(line))).toEqual([
      'look   0',
      'look 7 of-step 1',
      'later',
    ])
  })

  test('that fail let the steps go on until somebody waits: that step fails, and so does the job', async () => {
    const job = await run({
      steps: [
        beside('bad', `${touch('over')}; exit 3`),
        { run: until('over'), id: 'on' },
        wait('bad'),
        { run: 'echo never', id: 'never' },
      ],
    })
    expect(conclusions(job)).toMatchObject({ bad: 'failure', on: 'success', never: 'skipped' })
    expect(job.result).toMatchObject({ conclusion: 'failure', reason: expect.stringContaining('exit code 3') })
    expect(messagesOf(job.result.annotations, 'error')).toContain('Process completed with exit code 3.')
  })

  test('are waited for at the end of all steps, and a failure that nobody has waited for fails the job', async () => {
    const job = await run({
      steps: [beside('late', `${until('end')}; echo late; exit 4`), { run: touch('end') }],
      outputs: { how: expr('steps.late.conclusion') },
    })
    expect(printed(job)).toContain('late')
    expect(job.result).toMatchObject({ conclusion: 'failure', outputs: { how: 'failure' } })
  })

  test('with continue-on-error fail neither the job nor the step that waits', async () => {
    const job = await run({ steps: [beside('bad', 'exit 1', { continueOnError: true }), waitAll, { run: 'echo on' }] })
    expect(job.result.conclusion).toBe('success')
    expect(printed(job)).toContain('on')
  })

  test('are stopped by `cancel`, which harms the job no more than the step was worth, after a failure too', async () => {
    const forever = `trap 'echo asked to stop; exit 0' INT TERM; ${touch('up')}; while :; do sleep 0.02; done`
    const job = await run({
      steps: [beside('server', forever), { run: until('up') }, cancel('server'), { run: 'echo after', id: 'after' }],
    })
    expect(conclusions(job)).toMatchObject({ server: 'cancelled', after: 'success' })
    expect(job.result).toMatchObject({ conclusion: 'success', annotations: [] })
    expect(printed(job)).toContain('asked to stop')

    const red = await run({
      steps: [beside('server', forever), { run: `${until('up')}; exit 1` }, cancel('server')],
    })
    expect(conclusions(red)).toMatchObject({ server: 'cancelled' })
    expect(red.result.conclusion).toBe('failure')
  })

  test('that ignore every signal are killed', async () => {
    await using hasty = RunnerRig.start({ interruptMs: 100, terminateMs: 100 })
    const job = await hasty.run({
      steps: [
        beside('deaf', `trap '' INT TERM; ${touch('up')}; while :; do sleep 0.02; done`),
        { run: until('up') },
        cancel('deaf'),
      ],
    })
    expect(conclusions(job)).toMatchObject({ deaf: 'cancelled' })
    expect(job.result.conclusion).toBe('success')
  })

  test('run ten at a time; the eleventh begins when one has ended', async () => {
    const one = (n: number): TestStep =>
      beside(
        `s${n}`,
        `${touch(`begun.${n}`)}; ${until('go')}; ls "$RUNNER_TEMP" | grep -c '^begun' > "$RUNNER_TEMP/seen.${n}"`,
      )
    const order = rig.begin({
      steps: [
        ...Array.from({ length: 10 }, (_, n) => one(n)),
        beside('s10', touch('begun.10')),
        // All ten run, and the eleventh does not.
        {
          run: `${Array.from({ length: 10 }, (_, n) => until(`begun.${n}`)).join('; ')}; [ ! -e "$RUNNER_TEMP/begun.10" ]; ${touch('go')}`,
        },
        waitAll,
      ],
    })
    const job = await rig.ended(order)
    expect(job.result.conclusion).toBe('success')
    expect(existsSync(join(order.paths.temp, 'begun.10'))).toBe(true)
  })

  test('have a condition and a time of their own', async () => {
    const job = await run({
      steps: [
        beside('no', 'echo never', { if: "success() && env.X == 'y'" }),
        beside('slow', 'sleep 30', { timeoutMinutes: 0.005 }),
        waitAll,
      ],
    })
    expect(conclusions(job)).toMatchObject({ no: 'skipped', slow: 'failure' })
    expect(messagesOf(job.result.annotations, 'error').join()).toContain('has timed out after 0.005 minutes')
    expect(printed(job)).not.toContain('never')
  })

  test('end with a cancel of the job, whatever their condition', async () => {
    const order = rig.begin({
      steps: [
        beside('server', `${touch('up')}; while :; do sleep 0.02; done`, always),
        { run: `${until('up')}; echo ready` },
        { name: 'Hang', run: 'sleep 60' },
      ],
    })
    await rig.message(
      (message) =>
        message.type === 'step' &&
        message.jobKey === order.jobKey &&
        message.attempt === order.attempt &&
        message.step.name === 'Hang',
    )
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'Enough.' })
    const job = await rig.ended(order)
    expect(job.result.conclusion).toBe('cancelled')
    expect(conclusions(job)).toMatchObject({ server: 'cancelled' })
  })

  test('may be actions, whose clean-up comes when all of them have ended', async () => {
    const script = (text: string) => `cat > act/${text}.js <<< 'console.log("${text}")'`
    const job = await run({
      steps: [
        {
          run: `mkdir act; echo 'runs: { using: node24, main: main.js, post: post.js }' > act/action.yml; ${script('main')}; ${script('post')}`,
        },
        { uses: './act', background: true },
        beside('b', `${until('end')}; echo b`),
        { run: touch('end') },
      ],
    })
    expect(job.result.conclusion).toBe('success')
    expect(printed(job).toSorted()).toEqual(['b', 'main', 'post'])
    expect(printed(job).at(-1)).toBe('post')
  })
})
