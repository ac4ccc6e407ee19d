import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JobModel } from '#core/workflow/model.ts'
import { parseWorkflow } from '#core/workflow/parse-workflow.ts'
import { orderJobs } from './order-jobs.ts'
import { planWorkflow } from './plan-workflow.ts'
import type { WorkflowPlan } from './plan-workflow.ts'

const text = `
name: CI
on:
  push: { branches: [main] }
jobs:
  deploy:
    needs: [test, pick]
    if: github.ref == 'refs/heads/main'
    environment: production
    runs-on: ubuntu-latest
    steps: [{ run: ./deploy }]
  test:
    runs-on: ubuntu-latest
    strategy: { matrix: { node: [20, 22] } }
    steps: [{ run: npm test }]
  pick:
    runs-on: ubuntu-latest
    outputs: { list: '\${{ steps.x.outputs.list }}' }
    steps: [{ id: x, run: ./pick }]
  each:
    needs: pick
    runs-on: ubuntu-latest
    strategy: { matrix: { part: '\${{ fromJSON(needs.pick.outputs.list) }}' } }
    steps: [{ run: ./part }]
  rescue:
    needs: test
    if: failure()
    runs-on: ubuntu-latest
    steps: [{ run: ./rescue }]
  after:
    needs: rescue
    runs-on: ubuntu-latest
    steps: [{ run: ./after }]
`

async function planOf(ref: string): Promise<WorkflowPlan> {
  const { value } = await parseWorkflow({ file: 'ci.yml', text })
  if (value === undefined) throw new Error('the workflow of this test is invalid')
  return planWorkflow(
    { workflow: value, calls: {} },
    {
      event: { name: 'push', ref, payload: {} },
      github: { ref },
      inputs: {},
      vars: {},
      platforms: { platforms: {}, machine: { os: 'linux', arch: 'x64' } },
    },
  )
}

describe('a plan', () => {
  test('shows every job after its needs, with its legs or the reason against it', async () => {
    const plan = await planOf('refs/heads/main')

    expect(plan.verdict).toEqual({ matches: true })
    expect(plan.jobs.map(({ id, level, decision }) => [id, level, decision.kind])).toEqual([
      ['test', 0, 'legs'],
      ['pick', 0, 'legs'],
      ['rescue', 1, 'skipped'],
      ['deploy', 1, 'legs'],
      ['each', 1, 'undecided'],
      ['after', 2, 'skipped'],
    ])
    expect(plan.jobs.find((job) => job.id === 'each')?.decision).toEqual({
      kind: 'undecided',
      waitsFor: ['pick'],
      reason: 'Its matrix depends on what pick will give.',
    })
    expect(plan.jobs.find((job) => job.id === 'after')?.decision).toEqual({
      kind: 'skipped',
      reason: 'Job "rescue", which it needs, was skipped.',
    })
  })

  test('says why the workflow does not answer, and what would run if it did', async () => {
    const plan = await planOf('refs/heads/topic')

    expect(plan.verdict).toEqual({ matches: false, reason: 'Branch "topic" is not in "branches": main.' })
    expect(plan.jobs.find((job) => job.id === 'deploy')?.decision).toEqual({
      kind: 'skipped',
      reason: "Its condition is false: github.ref == 'refs/heads/main'",
    })
  })
})

test('an order of jobs respects every need and forgets no job', () => {
  const graph = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { maxLength: 40 }).map((jobs) =>
    jobs.map((needs, index): JobModel => ({
      id: `job${index}`,
      needs: index === 0 ? [] : [...new Set(needs.map((need) => `job${need % index}`))],
      if: 'success()',
      hasIf: false,
      steps: [],
      position: { line: 1, column: 1 },
    })),
  )
  fc.assert(
    fc.property(graph, fc.infiniteStream(fc.nat()), (jobs, random) => {
      const shuffled = jobs
        .map((job) => [random.next().value, job] as const)
        .toSorted(([a], [b]) => Number(a) - Number(b))
      const ordered = orderJobs(shuffled.map(([, job]) => job))
      const place = new Map(ordered.map(({ job }, index) => [job.id, index]))
      expect(ordered.length).toBe(jobs.length)
      for (const { job, level } of ordered) {
        for (const need of job.needs) expect(place.get(need)).toBeLessThan(place.get(job.id) ?? -1)
        expect(level).toBe(
          Math.max(-1, ...ordered.filter((one) => job.needs.includes(one.job.id)).map((one) => one.level)) + 1,
        )
      }
    }),
  )
})

test('jobs in a circle are left out of the order instead of hanging it', () => {
  const job = (id: string, needs: readonly string[]): JobModel => ({
    id,
    needs,
    if: 'success()',
    hasIf: false,
    steps: [],
    position: { line: 1, column: 1 },
  })
  expect(orderJobs([job('a', ['b']), job('b', ['a']), job('c', [])]).map((one) => one.job.id)).toEqual(['c'])
})
