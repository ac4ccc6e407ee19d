import { describe, expect, test } from 'vitest'
import { callable, documentOf, DrivenRun, job } from '../../../test/rig/driven-run.ts'
import { jobKeyLengthMax, runJobsMax } from './place.ts'
import type { RunDocument } from './state.ts'

const lib = 'lib.yml'
const caller = { uses: './lib.yml' }

function started(document: RunDocument): DrivenRun {
  return new DrivenRun(document).start()
}

describe('A job that calls a workflow', () => {
  test('brings the jobs of that workflow below its own key, and is done when they are', () => {
    const called = callable(lib, [job('build'), job('test', { needs: ['build'] })])
    const run = started(documentOf([job('ci', caller), job('after', { needs: ['ci'] })], [called]))
    expect(run.states).toEqual({ ci: 'calling', after: 'blocked', 'ci.build': 'ready', 'ci.test': 'blocked' })
    expect(run.state.jobs.get('ci.build')?.name).toBe('ci / build')

    run.claim('ci.build').finish('ci.build')
    expect(run.states).toMatchObject({ ci: 'calling', 'ci.test': 'ready' })
    run.claim('ci.test').finish('ci.test')
    expect(run.states).toMatchObject({ ci: 'success', after: 'ready' })
  })

  test('gives typed inputs, with defaults that are expressions', () => {
    const inputs = {
      who: { type: 'string', required: true },
      times: { type: 'number', required: false },
      loud: { type: 'boolean', required: false, default: { $expr: "github.ref == 'refs/heads/main'" } },
      greeting: { type: 'string', required: false, default: { $expr: "format('hi {0}', inputs.who)" } },
    } as const
    const called = callable(lib, [job('a', { if: "inputs.loud && inputs.greeting == 'hi 7'" })], { call: { inputs } })
    const run = started(
      documentOf([job('ci', { ...caller, with: { WHO: 7 } })], [called], { github: { ref: 'refs/heads/main' } }),
    )
    expect(run.state.jobs.get('ci')?.leg?.call?.inputs).toEqual({ who: '7', times: 0, loud: true, greeting: 'hi 7' })
    expect(run.states['ci.a']).toBe('ready')
  })

  test.each([
    ['boolean', 'yes', 'must be a boolean, but it is "yes"'],
    ['number', '3', 'must be a number, but it is "3"'],
    ['number', null, 'must be a number, but it is empty'],
  ] as const)('fails when an input of type %s is %j', (type, value, message) => {
    const called = callable(lib, [job('a')], { call: { inputs: { n: { type, required: false } } } })
    const outputs = { needs: ['before'], with: { n: { $expr: 'fromJSON(needs.before.outputs.n)' } } }
    const run = started(documentOf([job('before'), job('ci', { ...caller, ...outputs })], [called]))
    run.claim('before').finish('before', 'success', { n: JSON.stringify(value) })
    expect(run.state.jobs.get('ci')).toMatchObject({ conclusion: 'failure' })
    expect(run.state.jobs.get('ci')?.reason?.message).toContain(message)
  })

  test('hands the declared outputs up, over the outputs of its jobs', () => {
    const deep = callable('deep.yml', [job('leaf')], {
      call: { outputs: { v: { $expr: 'jobs.leaf.outputs.v' }, none: { $expr: 'jobs.leaf.outputs.none' } } },
    })
    const called = callable(lib, [job('mid', { uses: './deep.yml' })], {
      call: {
        outputs: { v: { $expr: "format('{0}-{1}', inputs.p, jobs.mid.outputs.v)" }, how: { $expr: 'jobs.mid.result' } },
        inputs: { p: { type: 'string', required: false, default: 'p' } },
      },
    })
    const run = started(
      documentOf(
        [job('ci', caller), job('after', { needs: ['ci'], if: "needs.ci.outputs.v == 'p-1'" })],
        [called, deep],
      ),
    )
    run.claim('ci.mid.leaf').finish('ci.mid.leaf', 'success', { v: '1' })
    expect(run.state.jobs.get('ci.mid')?.outputs).toEqual({ v: '1' })
    expect(run.state.jobs.get('ci')?.outputs).toEqual({ v: 'p-1', how: 'success' })
    expect(run.states['after']).toBe('ready')
  })

  test('is as bad as the worst of its jobs, and says which that is', () => {
    const called = callable(lib, [job('a'), job('b'), job('c', { needs: ['a'] })])
    const run = started(documentOf([job('ci', caller), job('after', { needs: ['ci'] })], [called]))
    run.claim('ci.a').finish('ci.a', 'failure').claim('ci.b').finish('ci.b')
    expect(run.states).toEqual({
      ci: 'failure',
      after: 'skipped',
      'ci.a': 'failure',
      'ci.b': 'success',
      'ci.c': 'skipped',
    })
    expect(run.state.jobs.get('ci')?.reason).toMatchObject({ code: 'CALL_NOT_GREEN' })
    expect(run.state.jobs.get('ci')?.reason?.message).toContain('"ci / a"')
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'failure' })
  })

  test('looks only inside the call for success() and failure(), and a skipped caller brings nothing', () => {
    const called = callable(lib, [job('a'), job('mend', { if: 'failure()' })])
    const jobs = [
      job('red'),
      job('always', { ...caller, needs: ['red'], if: 'always()' }),
      job('no', { ...caller, needs: ['red'] }),
    ]
    const run = started(documentOf(jobs, [called]))
      .claim('red')
      .finish('red', 'failure')
    expect(run.states).toEqual({
      red: 'failure',
      always: 'calling',
      no: 'skipped',
      'always.a': 'ready',
      'always.mend': 'skipped',
    })
  })

  test('with a matrix calls once for each leg, and fail-fast cancels the other calls down to what asks for it', () => {
    const called = callable(lib, [job('a'), job('clean', { needs: ['a'], if: 'always()' }), job('b', { needs: ['a'] })])
    const run = started(documentOf([job('ci', { ...caller, strategy: { matrix: { n: [1, 2] } } })], [called]))
    expect(run.states).toMatchObject({ 'ci.0.a': 'ready', 'ci.1.a': 'ready' })
    run.claim('ci.1.a').claim('ci.0.a').finish('ci.0.a', 'failure')
    expect(run.states).toMatchObject({ 'ci.0': 'calling', 'ci.0.clean': 'ready', 'ci.1': 'calling' })
    run.claim('ci.0.clean').finish('ci.0.clean')
    expect(run.states).toMatchObject({ 'ci.0': 'failure', 'ci.1': 'calling', 'ci.1.a': 'leased' })
    expect(run.effects.at(-1)).toMatchObject({ kind: 'cancel-job', key: 'ci.1.a' })

    run.finish('ci.1.a', 'cancelled')
    expect(run.states).toMatchObject({ 'ci.1.clean': 'ready', 'ci.1.b': 'skipped' })
    run.claim('ci.1.clean').finish('ci.1.clean')
    expect(run.state.jobs.get('ci.1')).toMatchObject({ conclusion: 'cancelled', reason: { code: 'JOB_FAIL_FAST' } })
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'failure' })
  })

  test('with max-parallel waits until a call is done', () => {
    const strategy = { matrix: { n: [1, 2] }, maxParallel: 1 }
    const run = started(documentOf([job('ci', { ...caller, strategy })], [callable(lib, [job('a')])]))
    expect(run.states).toEqual({ 'ci.0': 'calling', 'ci.1': 'waiting', 'ci.0.a': 'ready' })
    run.claim('ci.0.a').finish('ci.0.a')
    expect(run.states).toMatchObject({ 'ci.0': 'success', 'ci.1': 'calling', 'ci.1.a': 'ready' })
  })

  test('is cancelled with the run, and still runs what asks for it', () => {
    const called = callable(lib, [job('a'), job('clean', { needs: ['a'], if: 'cancelled()' })])
    const run = started(documentOf([job('ci', caller)], [called])).claim('ci.a')
    run.input({ kind: 'cancel', by: 'ann', reason: 'enough' })
    run.finish('ci.a', 'cancelled').claim('ci.clean').finish('ci.clean')
    expect(run.states).toEqual({ ci: 'cancelled', 'ci.a': 'cancelled', 'ci.clean': 'success' })
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'cancelled' })
  })

  test.each([
    ['inherit', 'inherit', 'calling'],
    ['a mapping', { TOKEN: { $expr: 'secrets.KNOWN' } }, 'calling'],
    ['a mapping to a secret that is not there', { TOKEN: { $expr: 'secrets.OTHER' } }, 'failure'],
    ['nothing', undefined, 'failure'],
  ] as const)('needs its required secrets: with %s', (_what, secrets, state) => {
    const called = callable(lib, [job('a')], { call: { secrets: { token: { required: true } } } })
    const given = secrets === undefined ? caller : { ...caller, secrets }
    const run = started(documentOf([job('ci', given)], [called], { secretNames: ['TOKEN', 'KNOWN'] }))
    expect(run.states['ci']).toBe(state)
    if (state === 'failure') expect(run.state.jobs.get('ci')?.reason?.code).toBe('SECRET_MISSING')
  })

  test('fails where the keys or the run would become too large', () => {
    const long = job('x'.repeat(90), { uses: './b.yml' })
    const files = [callable('b.yml', [{ ...long, uses: './c.yml' }]), callable('c.yml', [job('y'.repeat(90))])]
    const run = started(documentOf([long], files))
    expect(run.state.jobs.get(long.id)?.conclusion).toBe('failure')
    expect([...run.state.jobs.keys()].every((key) => key.length <= jobKeyLengthMax)).toBe(true)

    const many = callable(
      lib,
      Array.from({ length: 100 }, (_, index) => job(`j${index}`)),
    )
    const legs = Array.from({ length: 200 }, (_, index) => index)
    const large = started(documentOf([job('ci', { ...caller, strategy: { matrix: { n: legs } } })], [many]))
    expect(large.state.jobs.size).toBeLessThanOrEqual(runJobsMax)
    expect(large.state.jobs.get('ci.199')?.conclusion).toBe('cancelled')
  })

  test('fails when it has the concurrency group of what it calls', () => {
    const called = callable(lib, [job('a')], { concurrency: { $expr: "format('g-{0}', github.ref)" } })
    const run = started(
      documentOf([job('ci', { ...caller, concurrency: 'g-MAIN' })], [called], { github: { ref: 'main' } }),
    )
    expect(run.state.jobs.get('ci')?.reason?.message).toContain('each would wait for the other')
  })

  test('takes of --job what is named below it, with what that needs', () => {
    const called = callable(lib, [job('a'), job('b', { needs: ['a'] }), job('c')])
    const only = ['ci', 'ci.a', 'ci.b']
    const run = started(documentOf([job('ci', caller), job('other')], [called], { only }))
    expect(Object.keys(run.states).toSorted()).toEqual(['ci', 'ci.a', 'ci.b'])
  })
})

describe('A calling job with a group of its own and a workflow with another one', () => {
  const grouped = { ...caller, concurrency: 'outer' }
  const called = callable(lib, [job('a')], { concurrency: 'inner' })
  const claims = (run: DrivenRun): readonly string[] =>
    run.effects.flatMap((effect) =>
      effect.kind === 'enter-group' || effect.kind === 'leave-group' ? [`${effect.kind} ${effect.key}`] : [],
    )

  test('asks for the one after the other, holds both during the call, and leaves both', () => {
    const run = started(documentOf([job('ci', grouped)], [called]))
    expect(run.states).toEqual({ ci: 'waiting' })
    run.input({ kind: 'group', key: 'ci', answer: { kind: 'entered' } })
    expect(run.states).toEqual({ ci: 'waiting' })
    run.input({ kind: 'group', key: 'ci+', answer: { kind: 'entered' } })
    expect(run.states).toEqual({ ci: 'calling', 'ci.a': 'ready' })
    run.claim('ci.a').finish('ci.a')
    expect(claims(run)).toEqual(['enter-group ci', 'enter-group ci+', 'leave-group ci', 'leave-group ci+'])
  })

  test('ends its call when a newer one takes either of them', () => {
    const run = started(documentOf([job('ci', grouped)], [called]))
    run.input({ kind: 'group', key: 'ci', answer: { kind: 'entered' } })
    run.input({ kind: 'group', key: 'ci+', answer: { kind: 'entered' } })
    run.claim('ci.a')
    const reason = { code: 'CONCURRENCY_CANCELLED', message: 'a newer one came.' }
    run.input({ kind: 'group', key: 'ci+', answer: { kind: 'out', by: 'run #2', reason } })
    expect(run.effects.at(-1)).toMatchObject({ kind: 'cancel-job', key: 'ci.a' })
    run.finish('ci.a', 'cancelled')
    expect(run.state.jobs.get('ci')).toMatchObject({ conclusion: 'cancelled', reason })
  })

  test('refuses a job of the call that wants one of them', () => {
    const inner = callable(lib, [job('a', { concurrency: 'INNER' })], { concurrency: 'inner' })
    const run = started(documentOf([job('ci', caller)], [inner]))
    run.input({ kind: 'group', key: 'ci+', answer: { kind: 'entered' } })
    expect(run.state.jobs.get('ci.a')).toMatchObject({
      conclusion: 'failure',
      reason: { code: 'CONCURRENCY_OWN_GROUP' },
    })
  })
})
