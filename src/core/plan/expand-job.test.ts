import { describe, expect, test } from 'vitest'
import type { Scope } from '#core/expression/evaluate.ts'
import { ensureStatusFunction, statusFunctions } from '#core/expression/status.ts'
import type { Json } from '#core/json.ts'
import type { Conclusion, JobLeg } from '#core/run/job-order.ts'
import type { JobModel } from '#core/workflow/model.ts'
import { expandJob } from './expand-job.ts'

/** A job that states only what matters to its test. */
function job(parts: Partial<JobModel> = {}, condition?: string): JobModel {
  return {
    id: 'test',
    needs: [],
    runsOn: 'ubuntu-latest',
    steps: [],
    position: { line: 1, column: 1 },
    ...parts,
    if: ensureStatusFunction(condition ?? ''),
    hasIf: condition !== undefined,
  }
}

interface Before {
  readonly needs?: Readonly<
    Record<string, { readonly result: Conclusion; readonly outputs?: Readonly<Record<string, string>> }>
  >
  readonly ancestors?: Readonly<Record<string, Conclusion>>
  readonly cancelled?: boolean
  readonly github?: Json
}

function scope({
  needs = {},
  ancestors,
  cancelled = false,
  github = { ref: 'refs/heads/main', ref_name: 'main' },
}: Before = {}): Scope {
  const results = ancestors ?? Object.fromEntries(Object.entries(needs).map(([id, need]) => [id, need.result]))
  return {
    contexts: { github, needs: needs, inputs: {}, vars: {} },
    functions: statusFunctions({ level: 'job', ancestors: results, cancelled }),
  }
}

function legsOf(model: JobModel, before?: Before): readonly JobLeg[] {
  const expansion = expandJob(model, scope(before))
  if (expansion.kind !== 'legs') throw new Error(`no legs but ${JSON.stringify(expansion)}`)
  return expansion.legs
}

describe('a job that does not run says why', () => {
  const failed = { needs: { build: { result: 'failure' } } } as const
  const cases: readonly (readonly [string, JobModel, Before, string])[] = [
    ['a need failed', job({ needs: ['build'] }), failed, 'Job "build", which it needs, failed.'],
    [
      'a need was skipped',
      job({ needs: ['build'] }),
      { needs: { build: { result: 'skipped' } } },
      'Job "build", which it needs, was skipped.',
    ],
    [
      'a need was cancelled',
      job({ needs: ['build'] }),
      { needs: { build: { result: 'cancelled' } } },
      'Job "build", which it needs, was cancelled.',
    ],
    [
      'a job before its needs was skipped',
      job({ needs: ['b'] }),
      { needs: { b: { result: 'success' } }, ancestors: { a: 'skipped', b: 'success' } },
      'A job further up, which its needs depend on, did not succeed.',
    ],
    ['its condition is false', job({}, "github.ref == 'x'"), {}, "Its condition is false: github.ref == 'x'"],
    [
      'it waits for a failure that did not come',
      job({}, 'failure()'),
      { needs: { build: { result: 'success' } } },
      'Its condition is false: failure()',
    ],
    ['the run was cancelled', job(), { cancelled: true }, 'The run was cancelled before it started.'],
    [
      'its matrix excludes everything',
      job({ strategy: { matrix: { a: [1], exclude: [{ a: 1 }] } } }),
      {},
      'Its matrix has no combination left: "exclude" removes all of them.',
    ],
  ]
  test.each(cases)('%s', (_title, model, before, reason) => {
    expect(expandJob(model, scope(before))).toEqual({ kind: 'skipped', reason })
  })

  test('always() lets it run after a failure', () => {
    expect(legsOf(job({ needs: ['build'] }, 'always()'), failed)).toHaveLength(1)
  })
})

describe('a job without a matrix', () => {
  test('has one leg with the defaults of GitHub', () => {
    expect(legsOf(job())).toEqual([
      {
        index: 0,
        total: 1,
        name: 'test',
        matrix: {},
        runsOn: ['ubuntu-latest'],
        failFast: true,
        maxParallel: 0,
        timeoutMinutes: 360,
        continueOnError: false,
      },
    ])
  })

  test('reads outputs of its needs as the values they stand for', () => {
    const needs = {
      plan: { result: 'success', outputs: { minutes: '5', keep: 'true', matrix: '{"v":[1,2]}' } },
    } as const
    const [leg, second] = legsOf(
      job({
        needs: ['plan'],
        timeoutMinutes: { $expr: 'needs.plan.outputs.minutes' },
        continueOnError: { $expr: 'needs.plan.outputs.keep' },
        strategy: { matrix: { $expr: 'fromJSON(needs.plan.outputs.matrix)' } },
      }),
      { needs },
    )
    expect(leg).toMatchObject({ timeoutMinutes: 5, continueOnError: true, matrix: { v: 1 }, name: 'test (1)' })
    expect(second).toMatchObject({ matrix: { v: 2 }, index: 1, total: 2 })
  })

  test('takes its environment, and leaves the url for the end of the job', () => {
    const url = { $expr: 'steps.deploy.outputs.url' }
    expect(legsOf(job({ environment: { name: { $expr: 'github.ref_name' }, url } }))[0]?.environment).toEqual({
      name: 'main',
      url,
    })
    expect(legsOf(job({ environment: 'production' }))[0]?.environment).toEqual({ name: 'production' })
    expect(
      legsOf(job({ environment: { $expr: "github.ref_name == 'x' && 'production' || ''" } }))[0]?.environment,
    ).toBeUndefined()
  })

  test('takes its concurrency group', () => {
    const concurrency = { group: { $expr: "format('deploy-{0}', github.ref_name)" }, 'cancel-in-progress': true }
    expect(legsOf(job({ concurrency }))[0]?.concurrency).toEqual({
      group: 'deploy-main',
      cancelInProgress: true,
      queue: 'single',
    })
    expect(legsOf(job({ concurrency: 'one' }))[0]?.concurrency).toEqual({
      group: 'one',
      cancelInProgress: false,
      queue: 'single',
    })
  })

  test('takes the time that a cancel may need', () => {
    expect(legsOf(job({ cancelTimeoutMinutes: { $expr: 'fromJSON(2)' } }))[0]?.cancelTimeoutMinutes).toBe(2)
  })

  test('names a group of runners first', () => {
    expect(legsOf(job({ runsOn: { group: 'big', labels: ['linux', 'x64'] } }))[0]?.runsOn).toEqual([
      'group:big',
      'linux',
      'x64',
    ])
  })
})

describe('a leg of a matrix', () => {
  const matrix = { os: ['linux', 'mac'], v: [1, 2] }

  test('sees matrix and strategy', () => {
    const legs = legsOf(
      job({
        runsOn: { $expr: 'matrix.os' },
        name: { $expr: "format('{0}/{1} of {2}', matrix.os, strategy.job-index, strategy.job-total)" },
        strategy: { matrix },
      }),
    )
    expect(legs.map((leg) => leg.name)).toEqual(['linux/0 of 4', 'linux/1 of 4', 'mac/2 of 4', 'mac/3 of 4'])
    expect(legs.map((leg) => leg.runsOn[0])).toEqual(['linux', 'linux', 'mac', 'mac'])
  })

  test('gets its values behind a fixed name, cut at 100 characters', () => {
    expect(legsOf(job({ name: 'Unit tests', strategy: { matrix } })).map((leg) => leg.name)[0]).toBe(
      'Unit tests (linux, 1)',
    )
    const [long] = legsOf(job({ strategy: { matrix: { text: ['x'.repeat(200)] } } }))
    expect(long?.name).toHaveLength(100)
    expect(long?.name).toMatch(/\.\.\.$/)
  })

  test('shares fail-fast and max-parallel', () => {
    const legs = legsOf(job({ strategy: { matrix, failFast: false, maxParallel: 2 } }))
    expect(legs.every((leg) => !leg.failFast && leg.maxParallel === 2)).toBe(true)
  })
})

describe('a job with a value that makes no sense is invalid', () => {
  const cases: readonly (readonly [Partial<JobModel>, RegExp])[] = [
    [{ strategy: { matrix: { v: [] } } }, /'v' does not contain any values\.$/],
    [{ strategy: { matrix: { $expr: 'github.ref' } } }, /must be a mapping, but it is "refs\/heads\/main"/],
    [{ timeoutMinutes: { $expr: 'github.ref' } }, /"timeout-minutes" must be a number/],
    [{ continueOnError: 'perhaps' }, /"continue-on-error" must be true or false, but it is "perhaps"/],
    [{ runsOn: { $expr: 'github.nothing' } }, /"runs-on" must be a label/],
    [
      { concurrency: { $expr: 'github.nothing.x' }, name: { $expr: 'secrets.x' } },
      /Unrecognized named-value: 'secrets'/,
    ],
    [{ concurrency: { group: '' } }, /must not be empty/],
    [{ concurrency: 'x'.repeat(401) }, /401 characters; 400 are allowed/],
  ]
  test.each(cases)('%j', (parts, reason) => {
    expect(expandJob(job(parts), scope())).toEqual({ kind: 'invalid', reason: expect.stringMatching(reason) })
  })

  test('a condition that cannot be evaluated as well', () => {
    expect(expandJob(job({}, "fromJSON('x')"), scope()).kind).toBe('invalid')
  })
})
