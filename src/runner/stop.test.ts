import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { RunnerRig, expr, isRunning, messagesOf, textIn, until } from '../../test/rig/runner.ts'
import type { EndedJob } from '../../test/rig/runner.ts'

/* Stopping steps. The times are short, the signals and processes are real; each test waits for events only. */
const quick = { interruptMs: 300, terminateMs: 300, outputGraceMs: 300 }
/** Longer than any test lives. */
const forever = 'sleep 600'

/** A script that says which signals reach it, ignores those it is told to, and goes on until it is killed. */
function stubborn(file: string, ignored: readonly string[]): string {
  const traps = ['INT', 'TERM'].map((signal) =>
    ignored.includes(signal)
      ? `trap 'echo ${signal} >> ${file}.signals' ${signal}`
      : `trap 'echo ${signal} >> ${file}.signals; exit 9' ${signal}`,
  )
  return `${traps.join('\n')}\necho $$ > ${file}\nwhile true; do sleep 0.05 || true; done`
}

const signalsOf = (file: string) => readFileSync(`${file}.signals`, 'utf8').trim().split(/\s+/)

describe('a step that takes longer than its timeout-minutes', () => {
  test('is stopped and fails with the reason, and the job goes on', async () => {
    await using rig = RunnerRig.start(quick)
    const job = await rig.run({
      steps: [
        { name: 'Wait', run: forever, timeoutMinutes: 0.005 },
        { run: 'echo after', if: 'failure()' },
      ],
    })
    expect(conclusionsOf(job)).toEqual(['success', 'failure', 'success'])
    expect(job.steps[1]?.reason).toBe("The action 'Wait' has timed out after 0.005 minutes.")
    expect(job.result.conclusion).toBe('failure')
  })

  test('may be allowed to fail', async () => {
    await using rig = RunnerRig.start(quick)
    const job = await rig.run({ steps: [{ run: forever, timeoutMinutes: expr("'0.005'"), continueOnError: true }] })
    expect(job.result.conclusion).toBe('success')
  })
})

describe('a cancelled job', () => {
  test('ends its step with SIGINT when that is enough, and runs what is left for it', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'step')
    const order = rig.begin({
      steps: [
        { run: stubborn(file, []) },
        { run: 'echo never' },
        { run: 'echo cleaning up', if: 'always()' },
        { run: 'echo was cancelled', if: 'cancelled()' },
        { run: 'echo no failure', if: 'failure()' },
      ],
    })
    await textIn(file)
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'Ann cancelled it.' })
    const job = await rig.ended(order)
    expect(signalsOf(file)).toEqual(['INT'])
    expect(job.result).toMatchObject({ conclusion: 'cancelled', reason: 'Ann cancelled it.' })
    expect(conclusionsOf(job)).toEqual(['success', 'cancelled', 'skipped', 'success', 'success', 'skipped'])
    expect(job.log).toContain('cleaning up')
  })

  test('climbs to SIGTERM and SIGKILL for a step that does not listen', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'step')
    const order = rig.begin({ steps: [{ run: stubborn(file, ['INT', 'TERM']) }] })
    const pid = Number(await textIn(file))
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'Enough.' })
    const job = await rig.ended(order)
    expect(new Set(signalsOf(file))).toEqual(new Set(['INT', 'TERM']))
    expect(isRunning(pid)).toBe(false)
    expect(job.steps[1]?.outcome).toBe('cancelled')
  })

  test('lets a step go on whose condition still holds', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'step')
    const order = rig.begin({
      // The job's own time cancels it, because that shows in the log: the step may go on only after that.
      leg: { timeoutMinutes: 0.01 },
      steps: [{ run: `until test -e ${file}.go; do sleep 0.02; done; echo finished`, if: 'always()' }],
    })
    await until(() => textOf(order.paths.log).includes('has exceeded'), 'the job is cancelled')
    writeFileSync(`${file}.go`, '')
    const job = await rig.ended(order)
    expect(job.log).toContain('finished')
    expect(job.steps[1]?.conclusion).toBe('success')
    expect(job.result.conclusion).toBe('cancelled')
  })

  test('ends at the latest after its cancel-timeout-minutes', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'step')
    const order = rig.begin({
      cancelTimeoutMinutes: 0.01,
      steps: [
        { run: stubborn(file, ['INT', 'TERM']), if: 'always()' },
        { run: 'echo too late', if: 'always()' },
      ],
    })
    await textIn(file)
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'Enough.' })
    const job = await rig.ended(order)
    expect(conclusionsOf(job)).toEqual(['success', 'cancelled', 'skipped'])
    expect(existsSync(`${file}.signals`)).toBe(false)
    expect(job.result.conclusion).toBe('cancelled')
  })

  test('is not another attempt of the same job', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'step')
    const order = rig.begin({
      attempt: 2,
      steps: [{ run: `echo $$ > ${file}; until test -e ${file}.go; do sleep 0.02; done` }],
    })
    await textIn(file)
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: 1, reason: 'Too late.' })
    rig.send({ type: 'cancel', jobKey: 'other', attempt: 2, reason: 'Not me.' })
    writeFileSync(`${file}.go`, '')
    expect((await rig.ended(order)).result.conclusion).toBe('success')
  })

  test('is what a job becomes that exceeds its own time', async () => {
    await using rig = RunnerRig.start(quick)
    const job = await rig.run({
      leg: { timeoutMinutes: 0.005 },
      steps: [{ run: forever }, { run: 'echo last words', if: 'always()' }],
    })
    expect(job.result).toMatchObject({
      conclusion: 'cancelled',
      reason: 'The job has exceeded the maximum execution time of 0.005 minutes.',
    })
    expect(messagesOf(job.result.annotations, 'error')).toContain(job.result.reason)
    expect(job.log).toContain('last words')
  })
})

describe('processes that outlive their step', () => {
  test('are left alone until the job ends, and do not hold it up', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'service')
    const job = await rig.run({
      steps: [
        { run: `(echo service output; ${forever}) & echo $! > ${file}` },
        { run: `kill -0 $(cat ${file}) && echo still there` },
        { run: `setsid ${forever} > /dev/null 2>&1 & echo $! > ${file}.session` },
      ],
    })
    expect(job.log).toContain('still there')
    expect(job.log).toMatch(/Terminate orphan process: pid \(\d+\) \(sleep\)/)
    const pids = [file, `${file}.session`].map((name) => Number(readFileSync(name, 'utf8')))
    await until(() => pids.every((pid) => !isRunning(pid)), 'the orphans are gone')
    expect(job.result.conclusion).toBe('success')
  })

  test('may stay when they drop the mark of the job', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'service')
    // Between fork and exec the new process still has the environment of the shell: the step ends when it has its own.
    const hasDropped = "grep -qzx 'RUNNER_TRACKING_ID=' /proc/$!/environ"
    await rig.run({
      steps: [
        {
          run: `RUNNER_TRACKING_ID= setsid ${forever} > /dev/null 2>&1 & echo $! > ${file}; until ${hasDropped}; do sleep 0.01; done`,
        },
      ],
    })
    const pid = Number(readFileSync(file, 'utf8'))
    expect(isRunning(pid)).toBe(true)
    process.kill(pid, 'SIGKILL')
  })
})

describe('nothing of a step stays behind', () => {
  /** A step with children in its group, one of which has left it. */
  const family = (file: string) =>
    `${forever} & echo $! >> ${file}; setsid ${forever} & sleep 0.05; echo $! >> ${file}; echo $$ >> ${file}; touch ${file}.ready; wait`
  const pidsIn = async (file: string): Promise<readonly number[]> => {
    await until(() => existsSync(`${file}.ready`), 'the step runs')
    const pids = readFileSync(file, 'utf8').trim().split('\n').map(Number)
    expect(pids.every(isRunning)).toBe(true)
    return pids
  }

  test('when the runner is killed with -9: its watchdog ends the step', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'pids')
    rig.begin({ steps: [{ run: family(file) }] })
    const pids = await pidsIn(file)
    rig.kill()
    await rig.exited()
    await until(() => !pids.some(isRunning), 'the step is gone')
    await until(() => !readdirSync(rig.root).some((name) => name.startsWith('shipway-runner-')), 'the watchdog is gone')
  })

  test('when the agent is gone: the runner ends the step and itself', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'pids')
    rig.begin({ steps: [{ run: family(file) }] })
    const pids = await pidsIn(file)
    rig.hangUp()
    await rig.exited()
    await until(() => !pids.some(isRunning), 'the step is gone')
    await until(() => !readdirSync(rig.root).some((name) => name.startsWith('shipway-runner-')), 'the watchdog is gone')
  })

  test('when the runner is told to end', async () => {
    await using rig = RunnerRig.start(quick)
    const file = join(rig.root, 'pids')
    const order = rig.begin({ steps: [{ run: family(file) }, { run: 'echo no', if: 'always()' }] })
    const pids = await pidsIn(file)
    rig.send({ type: 'shutdown' })
    const job = await rig.ended(order)
    await rig.exited()
    await until(() => !pids.some(isRunning), 'the step is gone')
    expect(job.result).toMatchObject({ conclusion: 'cancelled', reason: 'The runner was told to end.' })
    expect(conclusionsOf(job)).toEqual(['success', 'cancelled', 'skipped'])
  })
})

test('a runner whose watchdog was killed starts another one for the next job', async () => {
  await using rig = RunnerRig.start(quick)
  await rig.run({ steps: [{ run: 'true' }] })
  const watchdog = childrenOf(rig.pid)[0] ?? 0
  process.kill(watchdog, 'SIGKILL')
  await until(() => !childrenOf(rig.pid).includes(watchdog), 'the watchdog is gone')
  const job = await rig.run({ steps: [{ run: 'echo fine' }] })
  expect(job.result.conclusion).toBe('success')
})

test('a runner says that it is alive while a job runs', async () => {
  await using rig = RunnerRig.start({ ...quick, heartbeatMs: 20 })
  const order = rig.begin({ steps: [{ run: forever }] })
  const { runId, jobKey, attempt } = order
  const beat = await rig.message((message) => message.type === 'heartbeat')
  expect(beat).toEqual({ type: 'heartbeat', runId, jobKey, attempt })
})

/** Of the steps: what was killed may be found among the processes that are left, and then "Complete job" shows. */
function conclusionsOf({ steps }: EndedJob): readonly (string | undefined)[] {
  return steps.filter(({ name }) => name !== 'Complete job').map((step) => step.conclusion)
}

function textOf(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}
