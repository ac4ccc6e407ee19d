import { describe, expect, test } from 'vitest'
import { callable, documentOf, DrivenRun, job } from '../../../test/rig/driven-run.ts'
import { planRerun } from './rerun.ts'
import type { RunDocument } from './state.ts'

const caller = { uses: './lib.yml' }

/** `lib` builds, tests what was built, lints beside it, and hands the outputs of all three up. */
const lib = callable('lib.yml', [job('build'), job('test', { needs: ['build'] }), job('lint')], {
  call: {
    outputs: {
      built: { $expr: 'jobs.build.outputs.v' },
      tested: { $expr: 'jobs.test.outputs.v' },
      linted: { $expr: 'jobs.lint.outputs.v' },
    },
  },
})

function started(document: RunDocument): DrivenRun {
  return new DrivenRun(document).start()
}

/** Runs `build` and `lint` of a call green and `test` as told; each tells the same text. */
function callEnds(run: DrivenRun, call: string, test: 'success' | 'failure', v: string): DrivenRun {
  for (const id of ['build', 'lint']) run.claim(`${call}.${id}`).finish(`${call}.${id}`, 'success', { v })
  return run.claim(`${call}.test`).finish(`${call}.test`, test, { v })
}

describe('A new attempt of a run that calls a workflow', () => {
  test('repeats of the call only the job that failed, keeps the outputs of the others, and tells those of the call anew', () => {
    const first = started(documentOf([job('ci', caller), job('after', { needs: ['ci'] }), job('other')], [lib]))
    callEnds(first, 'ci', 'failure', '1').claim('other').finish('other')
    expect(first.states).toMatchObject({ ci: 'failure', 'ci.test': 'failure', after: 'skipped' })

    const again = first.rerun({ kind: 'failed' })
    expect(again.states).toEqual({
      other: 'success',
      'ci.build': 'success',
      'ci.lint': 'success',
      'ci.test': 'ready',
      ci: 'calling',
      after: 'blocked',
    })
    again.claim('ci.test').finish('ci.test', 'success', { v: '2' })
    expect(again.state.jobs.get('ci.test')?.attempt).toBe(2)
    expect(again.state.jobs.get('ci')?.outputs).toEqual({ built: '1', tested: '2', linted: '1' })
    again.claim('after').finish('after')
    expect(again.state).toMatchObject({ state: 'done', conclusion: 'success' })
  })

  test('repeats with a named job what needs it, in the call and above it', () => {
    const first = started(documentOf([job('ci', caller), job('after', { needs: ['ci'] })], [lib]))
    callEnds(first, 'ci', 'success', '1').claim('after').finish('after')

    const again = first.rerun({ kind: 'job', job: 'ci/build' })
    expect(again.states).toMatchObject({
      'ci.build': 'ready',
      'ci.test': 'blocked',
      'ci.lint': 'success',
      after: 'blocked',
    })
    again.claim('ci.build').finish('ci.build', 'success', { v: '2' }).claim('ci.test').finish('ci.test')
    expect(again.state.jobs.get('ci')?.outputs).toEqual({ built: '2', linted: '1' })
    expect(again.states['after']).toBe('ready')
  })

  test('reaches into calls of calls, and leaves their siblings alone', () => {
    const mid = callable('mid.yml', [job('call', caller), job('beside')], {
      call: { outputs: { v: { $expr: 'jobs.call.outputs.tested' } } },
    })
    const document = documentOf(
      [job('top', { uses: './mid.yml' }), job('after', { needs: ['top'], if: "needs.top.outputs.v == 'new'" })],
      [mid, lib],
    )
    const first = started(document).claim('top.beside').finish('top.beside')
    callEnds(first, 'top.call', 'failure', 'old')

    const again = first.rerun({ kind: 'job', job: 'top / call / test' })
    expect(again.states).toEqual({
      'top.beside': 'success',
      'top.call.build': 'success',
      'top.call.lint': 'success',
      'top.call.test': 'ready',
      'top.call': 'calling',
      top: 'calling',
      after: 'blocked',
    })
    again.claim('top.call.test').finish('top.call.test', 'success', { v: 'new' })
    expect(again.states).toMatchObject({ 'top.call': 'success', top: 'success', after: 'ready' })
  })

  test('opens only the legs of a caller in which something failed', () => {
    const legs = { ...caller, strategy: { matrix: { os: ['a', 'b'] }, 'fail-fast': false } }
    const first = started(documentOf([job('ci', legs)], [lib]))
    callEnds(callEnds(first, 'ci.0', 'success', 'x'), 'ci.1', 'failure', 'y')

    const again = first.rerun({ kind: 'failed' })
    expect(again.states).toMatchObject({ 'ci.0': 'success', 'ci.1': 'calling', 'ci.1.test': 'ready' })
    expect(again.states['ci.1.build']).toBe('success')
    again.claim('ci.1.test').finish('ci.1.test', 'failure')
    expect(again.state.conclusion).toBe('failure')
  })

  test('repeats a whole call when its caller is named, of one leg too, and counts its starts on', () => {
    const legs = { ...caller, strategy: { matrix: { os: ['a', 'b'] } } }
    const first = started(documentOf([job('ci', legs)], [lib]))
    callEnds(callEnds(first, 'ci.0', 'success', 'x'), 'ci.1', 'success', 'y')

    const again = first.rerun({ kind: 'job', job: 'ci.1' })
    expect(again.states).toMatchObject({ 'ci.0': 'success', 'ci.0.build': 'success', 'ci.1': 'calling' })
    expect(again.states).toMatchObject({ 'ci.1.build': 'ready', 'ci.1.test': 'blocked', 'ci.1.lint': 'ready' })
    expect(again.claim('ci.1.build').state.jobs.get('ci.1.build')?.attempt).toBe(2)
  })

  test('waits with the jobs of the call until the caller has its group again, and starts none of them when it is cancelled', () => {
    const document = documentOf(
      [job('ci', { ...caller, concurrency: { group: 'one' } })],
      [callable('lib.yml', [job('a'), job('b', { needs: ['a'], if: 'always()' })])],
    )
    const first = started(document).input({ kind: 'group', key: 'ci', answer: { kind: 'entered' } })
    first.claim('ci.a').finish('ci.a', 'failure').claim('ci.b').finish('ci.b')

    const again = first.rerun({ kind: 'failed' })
    expect(again.states).toEqual({ ci: 'waiting', 'ci.a': 'blocked', 'ci.b': 'blocked' })
    const cancelled = first.rerun({ kind: 'failed' }).input({ kind: 'cancel', by: 'me', reason: 'Enough.' })
    expect(cancelled.states).toEqual({ ci: 'cancelled', 'ci.a': 'cancelled', 'ci.b': 'cancelled' })
    expect(cancelled.state).toMatchObject({ state: 'done', conclusion: 'cancelled' })

    again.input({ kind: 'group', key: 'ci', answer: { kind: 'entered' } })
    expect(again.states).toEqual({ ci: 'calling', 'ci.a': 'ready', 'ci.b': 'blocked' })
  })

  test('repeats a caller as a whole that is red though none of its jobs is', () => {
    const called = callable('lib.yml', [job('a')], {
      call: { outputs: { v: { $expr: 'fromJSON(jobs.a.outputs.v)' } } },
    })
    const first = started(documentOf([job('ci', caller)], [called]))
    first.claim('ci.a').finish('ci.a', 'success', { v: '{' })
    expect(first.states).toEqual({ ci: 'failure', 'ci.a': 'success' })
    expect(planRerun(first.state, { kind: 'failed' }, 2)).toMatchObject({
      removed: ['ci', 'ci.a'],
      jobs: [{ key: 'ci', state: 'blocked' }],
    })
  })

  test('goes on from a step of a job in a call, whose leg stays as it is', () => {
    const first = started(documentOf([job('ci', caller)], [lib]))
    callEnds(first, 'ci', 'failure', '1')
    const resume = { attempt: 1, index: 2, name: 'Third' }
    const plan = planRerun(first.state, { kind: 'step', job: 'ci/test', step: '3' }, 2, resume)
    expect(plan.jobs.map(({ key, leg }) => [key, leg?.resume])).toEqual([
      ['ci.test', resume],
      ['ci', undefined],
    ])
  })
})
