import { describe, expect, test } from 'vitest'
import { DrivenRun, documentOf, job } from '../../../test/rig/driven-run.ts'
import { longestMs } from './longest-time.ts'

const start = 1_700_000_000_000
const second = 1000
/** A run with a clock of its own that begins at `start`. */
const begin = (...jobs: Parameters<typeof documentOf>[0]) => new DrivenRun(documentOf(jobs)).start()
const at = (now: number, jobs: Readonly<Record<string, number>> = {}) =>
  ({ kind: 'time', now, run: start, jobs }) as const

describe('A run that lasts', () => {
  test('goes on for 35 days, and is cancelled then: what waits at once, what runs by asking, what always runs still does', () => {
    const run = begin(
      job('a'),
      job('b', { environment: 'production' }),
      job('clean', { needs: ['a', 'b'], if: 'always()', hasIf: true }),
    ).claim('a')

    run.input(at(start + longestMs.run - second))
    expect(run.states).toEqual({ a: 'leased', b: 'waiting', clean: 'blocked' })

    run.input(at(start + longestMs.run))
    expect(run.effects).toContainEqual({
      kind: 'cancel-job',
      key: 'a',
      attempt: 1,
      reason: 'The run has taken 35 days, the longest time of a run.',
    })
    expect(run.state.cancelled).toMatchObject({ by: 'its longest time', code: 'RUN_TOO_LONG' })
    const { length } = run.effects
    run.input(at(start + longestMs.run + second))
    expect(run.effects.length).toBe(length)

    run.finish('a', 'cancelled').claim('clean').finish('clean')
    expect(run.states).toEqual({ a: 'cancelled', b: 'cancelled', clean: 'success' })
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'cancelled' })
  })

  test('fails a job that no runner has taken for 24 hours, and skips what needs it', () => {
    const run = begin(job('a'), job('b', { needs: ['a'] }), job('c')).claim('c')

    run.input(at(start + longestMs.queue, { a: start + second, c: start }))
    expect(run.states).toEqual({ a: 'ready', b: 'blocked', c: 'leased' })

    run.input(at(start + longestMs.queue + second, { a: start + second, c: start }))
    expect(run.states).toEqual({ a: 'failure', b: 'skipped', c: 'leased' })
    expect(run.state.jobs.get('a')?.reason).toMatchObject({
      code: 'JOB_QUEUED_TOO_LONG',
      message: expect.stringContaining('24 hours'),
      hint: expect.stringContaining('--jobs'),
    })
  })

  test('fails a job that its environment has not let in for 30 days, with what it was told last', () => {
    const run = begin(job('a', { environment: 'production' }))
    const reason = { code: 'APPROVAL_MISSING', message: 'Waits for 1 approval.' }
    run.input({ kind: 'verdict', key: 'a', verdict: { kind: 'wait', reason } })

    run.input(at(start + longestMs.environment - second, { a: start }))
    expect(run.states).toEqual({ a: 'waiting' })

    run.input(at(start + longestMs.environment, { a: start }))
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'failure' })
    expect(run.state.jobs.get('a')?.reason).toMatchObject({
      code: 'JOB_NOT_LET_IN',
      message:
        'The job has waited for the environment "production" for 30 days, the longest time. The last that was said: Waits for 1 approval.',
    })
  })

  test('lets a job wait for its group and for its siblings as long as the run lasts', () => {
    const group = { concurrency: { group: 'g', cancelInProgress: false } }
    const run = begin(job('a', group), job('b', { strategy: { matrix: { n: [1, 2] }, maxParallel: 1 } }))

    run.input(at(start + longestMs.environment, { a: start, 'b.1': start }))
    expect(run.states).toEqual({ a: 'waiting', 'b.0': 'ready', 'b.1': 'waiting' })
  })
})
