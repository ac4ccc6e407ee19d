import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callable, documentOf, DrivenRun, job } from '../../../test/rig/driven-run.ts'
import { decide, jobAttemptsMax, runOutputsLengthMax } from './decide.ts'
import { needsOf } from './lookup.ts'
import { applyWrites, buildRunState } from './state.ts'
import type { JobModel } from '#core/workflow/model.ts'

class Driven extends DrivenRun {
  constructor(...jobs: readonly JobModel[]) {
    super(documentOf(jobs))
  }
}

describe('A run', () => {
  test('makes the jobs ready that need nothing, and the others when their own needs are done', () => {
    const run = new Driven(job('a'), job('b'), job('c', { needs: ['a'] }), job('d', { needs: ['b', 'c'] })).start()
    expect(run.states).toEqual({ a: 'ready', b: 'ready', c: 'blocked', d: 'blocked' })

    run.claim('a').finish('a')
    expect(run.states).toEqual({ a: 'success', b: 'ready', c: 'ready', d: 'blocked' })

    run.claim('b').finish('b').claim('c').finish('c').claim('d').finish('d')
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'success' })
    expect(run.effects.at(-1)).toEqual({ kind: 'run-finished', conclusion: 'success' })
  })

  test('skips what needed a failed job, all the way down, and is red', () => {
    const run = new Driven(job('a'), job('b', { needs: ['a'] }), job('c', { needs: ['b'] }))
      .start()
      .claim('a')
      .finish('a', 'failure')

    expect(run.states).toEqual({ a: 'failure', b: 'skipped', c: 'skipped' })
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'failure' })
    expect(run.state.jobs.get('b')?.reason?.message).toContain('"a"')
  })

  test('runs a job that asks for failures or for anything', () => {
    const run = new Driven(
      job('a'),
      job('mend', { needs: ['a'], if: 'failure()' }),
      job('report', { needs: ['mend'], if: 'always()' }),
    )
    run.start().claim('a').finish('a', 'failure').claim('mend').finish('mend')
    expect(run.states).toEqual({ a: 'failure', mend: 'success', report: 'ready' })
  })

  test('fails a job whose label leads nowhere, and says how to map it', () => {
    const run = new Driven(job('a', { runsOn: ['self-hosted', 'gpu'] }), job('b', { needs: ['a'] })).start()
    expect(run.states).toEqual({ a: 'failure', b: 'skipped' })
    expect(run.state.jobs.get('a')?.reason).toMatchObject({
      code: 'JOB_PLATFORM_UNKNOWN',
      hint: expect.stringContaining('--platform gpu=host'),
    })
  })
  test('hands outputs to the jobs that need them', () => {
    const run = new Driven(
      job('a'),
      job('b', { needs: ['a'], if: "needs.a.outputs.go == 'yes'" }),
      job('c', { needs: ['a'], if: "needs.a.outputs.go == 'no'" }),
    )
    run.start().claim('a').finish('a', 'success', { go: 'yes' })
    expect(run.states).toEqual({ a: 'success', b: 'ready', c: 'skipped' })
  })

  test('replaces a job by the legs of its matrix, and fail-fast cancels what has not started', () => {
    const matrix = { strategy: { matrix: { n: [1, 2, 3] } } }
    const run = new Driven(job('m', matrix)).start()
    expect(run.states).toEqual({ 'm.0': 'ready', 'm.1': 'ready', 'm.2': 'ready' })

    run.claim('m.0').claim('m.1').finish('m.0', 'failure')
    expect(run.states).toEqual({ 'm.0': 'failure', 'm.1': 'leased', 'm.2': 'cancelled' })
    expect(run.effects.at(-1)).toMatchObject({ kind: 'cancel-job', key: 'm.1' })

    run.finish('m.1', 'cancelled')
    expect(run.state.conclusion).toBe('failure')
  })

  test('is red when --matrix leaves no leg of any job, and skips a job whose values only another one has', () => {
    const wanted = { matrix: [{ key: 'n', value: '3' }] }
    const jobs = (last: number): readonly JobModel[] => [
      job('a', { strategy: { matrix: { n: [1, 2] } } }),
      job('b', { needs: ['a'], if: 'always()', strategy: { matrix: { n: [2, last] } } }),
    ]

    const matched = new DrivenRun(documentOf(jobs(3), [], wanted)).start()
    const unmatched = new DrivenRun(documentOf(jobs(4), [], wanted)).start()

    expect(matched.states).toEqual({ a: 'skipped', 'b.1': 'ready' })
    expect(unmatched.states).toEqual({ a: 'skipped', b: 'failure' })
    expect(unmatched.state.jobs.get('b')?.reason?.code).toBe('JOB_MATRIX_EMPTY')
  })

  test('is red when --matrix names what no job of a called workflow has, and runs the leg where one has it', () => {
    const matrix = (...n: readonly number[]) => ({ strategy: { matrix: { n } } })
    const run = (...values: readonly number[]) =>
      new DrivenRun(
        documentOf(
          [job('own', matrix(8, 9)), job('call', { uses: './lib.yml' })],
          [callable('lib.yml', [job('in', matrix(...values)), job('plain')])],
          { matrix: [{ key: 'n', value: '3' }] },
        ),
      )
        .start()
        .claim('call.plain')
        .finish('call.plain')

    expect(run(1, 3).states).toMatchObject({ own: 'skipped', 'call.in.1': 'ready' })
    const unmatched = run(1, 2)
    expect(unmatched.states).toMatchObject({ own: 'skipped', 'call.in': 'skipped', 'call.plain': 'success' })
    expect(unmatched.state).toMatchObject({
      state: 'done',
      conclusion: 'failure',
      reason: { code: 'JOB_MATRIX_EMPTY', message: 'No leg of any job has n: 3, which --matrix asks for.' },
    })
  })

  test('keeps legs back beyond max-parallel and lets the next one go when a place is free', () => {
    const run = new Driven(job('m', { strategy: { matrix: { n: [1, 2, 3] }, maxParallel: 1 } })).start()
    expect(run.states).toEqual({ 'm.0': 'ready', 'm.1': 'waiting', 'm.2': 'waiting' })
    run.claim('m.0').finish('m.0')
    expect(run.states).toEqual({ 'm.0': 'success', 'm.1': 'ready', 'm.2': 'waiting' })
  })

  test('is green when only a job failed that may fail, and what needs it goes on', () => {
    const run = new Driven(job('a', { continueOnError: true }), job('b', { needs: ['a'] }))
    run.start().claim('a').finish('a', 'failure').claim('b').finish('b')
    expect(run.states).toEqual({ a: 'failure', b: 'success' })
    expect(run.state.conclusion).toBe('success')
  })

  test('waits for an environment, says why, and goes on when the rules pass', () => {
    const run = new Driven(job('a', { environment: 'production' })).start()
    expect(run.effects).toContainEqual({ kind: 'check-environment', key: 'a', environment: 'production' })

    const reason = { code: 'APPROVAL_MISSING', message: 'Waits for 1 approval.' }
    run.input({ kind: 'verdict', key: 'a', verdict: { kind: 'wait', reason } })
    expect(run.state.state).toBe('waiting')
    expect(run.state.jobs.get('a')?.reason).toEqual(reason)

    run.input({ kind: 'verdict', key: 'a', verdict: { kind: 'pass' } })
    expect(run.state.state).toBe('running')
    expect(run.states).toEqual({ a: 'ready' })
  })

  test('fails a job whose environment refuses it', () => {
    const run = new Driven(job('a', { environment: 'production' })).start()
    run.input({
      kind: 'verdict',
      key: 'a',
      verdict: { kind: 'refuse', reason: { code: 'REF_REFUSED', message: 'No.' } },
    })
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'failure' })
  })

  test('starts a lost job again, but not for ever', () => {
    const run = new Driven(job('a')).start()
    for (let attempt = 1; attempt <= jobAttemptsMax; attempt += 1) {
      expect(run.states).toEqual({ a: 'ready' })
      run.claim('a').input({ kind: 'lost', key: 'a', attempt, reason: { code: 'RUNNER_LOST', message: 'gone.' } })
    }
    expect(run.states).toEqual({ a: 'failure' })
    expect(run.state.jobs.get('a')?.reason?.code).toBe('JOB_INTERRUPTED')
  })

  test('ignores what comes too late: an old attempt, a job that is done, a run that is over', () => {
    const run = new Driven(job('a')).start().claim('a')
    run.input({ kind: 'lost', key: 'a', attempt: 1, reason: { code: 'RUNNER_LOST', message: 'gone.' } }).claim('a')
    run.input({
      kind: 'finished',
      key: 'a',
      attempt: 1,
      result: { conclusion: 'failure', outputs: {}, annotations: [] },
    })
    expect(run.states).toEqual({ a: 'leased' })
    run.finish('a').finish('a', 'failure')
    expect(run.state.conclusion).toBe('success')
  })

  test('cancels what waits at once, asks the running job to stop, and still runs what asks for it', () => {
    const run = new Driven(
      job('a'),
      job('b'),
      job('c', { needs: ['a'] }),
      job('clean', { needs: ['a'], if: 'always()' }),
    )
      .start()
      .claim('a')
    run.input({ kind: 'cancel', by: 'ann', reason: 'wrong branch' })
    expect(run.states).toEqual({ a: 'leased', b: 'cancelled', c: 'blocked', clean: 'blocked' })
    expect(run.effects.at(-1)).toMatchObject({ kind: 'cancel-job', key: 'a', reason: 'wrong branch' })

    run.finish('a', 'cancelled')
    expect(run.states).toEqual({ a: 'cancelled', b: 'cancelled', c: 'skipped', clean: 'ready' })
    run.claim('clean').finish('clean')
    expect(run.state).toMatchObject({ state: 'done', conclusion: 'cancelled' })
  })
})

test('All outputs of a run together have a limit; the job that goes beyond fails with the reason and passes on none', () => {
  const run = new Driven(job('a'), job('b', { needs: ['a'] }), job('c', { needs: ['b'] })).start()
  const half = 'x'.repeat(runOutputsLengthMax / 2)
  run.claim('a').finish('a', 'success', { half })
  run.claim('b').finish('b', 'success', { half, more: 'x'.repeat(6000) })

  expect(run.state.jobs.get('b')).toMatchObject({
    conclusion: 'failure',
    outputs: {},
    reason: { code: 'RUN_OUTPUTS_TOO_LARGE' },
  })
  expect(run.states).toEqual({ a: 'success', b: 'failure', c: 'skipped' })
})

/** Up to six jobs, each needing some that come before it; some of them call one of the files. */
function graph(files: readonly string[]): fc.Arbitrary<readonly JobModel[]> {
  return fc
    .array(
      fc.record({
        needs: fc.array(fc.nat(6)),
        condition: fc.constantFrom('success()', 'always()', 'failure()'),
        legs: fc.integer({ min: 0, max: 3 }),
        calls: fc.option(fc.constantFrom(...files, undefined), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 6 },
    )
    .map((nodes) =>
      nodes.map((node, index) =>
        job(`j${index}`, {
          needs: [...new Set(node.needs.filter((need) => need < index).map((need) => `j${need}`))],
          if: node.condition,
          ...(node.calls === undefined ? {} : { uses: `./${node.calls}` }),
          ...(node.legs > 0 ? { strategy: { matrix: { n: Array.from({ length: node.legs }, (_, leg) => leg) } } } : {}),
        }),
      ),
    )
}

/** A workflow that calls two others, of which the first calls the second too. */
const nested = fc
  .tuple(graph(['a.yml', 'b.yml']), graph(['b.yml']), graph([]))
  .map(([root, a, b]) => documentOf(root, [callable('a.yml', a), callable('b.yml', b)]))

describe('Any run', () => {
  test('never starts a job before all that it needs is done, in called workflows too, and always ends, whatever its jobs and the world do', () => {
    fc.assert(
      fc.property(nested, fc.infiniteStream(fc.nat(99)), (document, choices) => {
        const run = new DrivenRun(document).start()
        const pick = (): number => choices.next().value as number
        for (let turn = 0; turn < 3000 && run.state.state !== 'done'; turn += 1) {
          for (const leg of run.state.jobs.values()) {
            if (leg.state === 'blocked' || leg.state === 'done') continue
            for (const need of needsOf(run.state, leg.jobId))
              for (const key of run.state.keysOfJob.get(need) ?? []) expect(run.state.jobs.get(key)?.state).toBe('done')
          }
          stepOf(run, pick)
        }
        expect(run.state.state).toBe('done')
        expect([...run.state.jobs.values()].every((leg) => leg.state === 'done')).toBe(true)
        expect([...run.state.openInCall.values()].every((open) => open === 0)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })

  test('is the same when it is built again from its rows at any moment', () => {
    fc.assert(
      fc.property(nested, fc.infiniteStream(fc.nat(99)), (document, choices) => {
        const run = new DrivenRun(document).start()
        const pick = (): number => choices.next().value as number
        for (let turn = 0; turn < 60 && run.state.state !== 'done'; turn += 1) {
          stepOf(run, pick)
          const again = buildRunState(run.state, run.state.document, [...run.state.jobs.values()])
          expect(again.open).toEqual(run.state.open)
          expect(decide(again, { kind: 'start' }).writes.filter((write) => write.kind === 'job')).toEqual([])
        }
      }),
    )
  })

  test('becomes the same state again when what was written is applied to its first rows', () => {
    fc.assert(
      fc.property(nested, fc.infiniteStream(fc.nat(99)), (document, choices) => {
        const run = new DrivenRun(document).start()
        const pick = (): number => choices.next().value as number
        for (let turn = 0; turn < 60 && run.state.state !== 'done'; turn += 1) stepOf(run, pick)
        const again = new DrivenRun(document)
        applyWrites(again.state, run.writes)
        expect(again.states).toEqual(run.states)
        expect(again.state.open).toEqual(run.state.open)
        expect(again.state.openInCall).toEqual(run.state.openInCall)
      }),
    )
  })
})

/** One thing that may happen next: a claim, an end, a loss, rarely a cancel. */
function stepOf(run: DrivenRun, pick: () => number): void {
  const open = [...run.state.jobs.values()].filter((leg) => leg.state === 'ready' || leg.state === 'leased')
  const leg = open[pick() % Math.max(1, open.length)]
  if (leg === undefined) return
  const chance = pick()
  if (chance < 2) run.input({ kind: 'cancel', by: 'ann', reason: 'enough' })
  else if (leg.state === 'ready') run.claim(leg.key)
  else if (chance < 20)
    run.input({ kind: 'lost', key: leg.key, attempt: leg.attempt, reason: { code: 'RUNNER_LOST', message: 'gone.' } })
  else run.finish(leg.key, chance < 40 ? 'failure' : 'success')
}
