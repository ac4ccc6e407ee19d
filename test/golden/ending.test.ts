import { describe, expect, test } from 'vitest'
import type { RunView } from '#core/view/model.ts'
import { renderRunEnding } from '#cli/live/ending.ts'
import { makePalette } from '#cli/palette.ts'
import { goldenNow } from '../rig/cli-world.ts'

const plain = makePalette({ env: {} }, false, undefined)
const approval = { code: 'APPROVAL_NEEDED', message: 'prod needs 1 approval.', hint: '`shipway approve dep_1`' }

describe('the end of a run', () => {
  test('that failed says what, shows the last lines, and where to look', async () => {
    const [job] = failedRun.jobs
    const [step] = job?.steps ?? []
    const tails =
      job === undefined || step === undefined ? [] : [{ job, step, lines: ['not ok 2', '  expected 2, found 3'] }]

    await expect(renderRunEnding(failedRun, tails, plain)).toMatchFileSnapshot('screen/ending-failed.txt')
  })

  test('that waits says for what, and what to type', async () => {
    const waiting: RunView = {
      ...failedRun,
      jobs: [],
      state: 'waiting',
      reason: approval,
      releases: [],
      deployments: [],
    }
    const { conclusion: _, finishedAt: __, ...open } = waiting

    await expect(renderRunEnding(open, [], plain)).toMatchFileSnapshot('screen/ending-waiting.txt')
  })
})

test('the end of a run without logs leaves out what its lines have told', () => {
  const text = renderRunEnding(failedRun, [], plain, { isBrief: true })

  expect(text).not.toMatch(/integration/)
  expect(text).toMatch(/✗ run #12 CI failed/)
})

test('the end of a run names the summaries that its jobs have written, the first of many', () => {
  const of = (count: number) => Array.from({ length: count }, (_, index) => `/home/summary/job${index}.1.md`)

  const named = (count: number) =>
    renderRunEnding(failedRun, [], plain, { summaries: of(count) })
      .split('\n')
      .filter((line) => line.startsWith('summary:'))

  expect(named(0)).toEqual([])
  expect(named(2)).toEqual(['summary: /home/summary/job0.1.md', 'summary: /home/summary/job1.1.md'])
  expect(named(5).at(-1)).toBe('summary: … and 2 more beside them')
})

const failedRun: RunView = {
  id: 'run_1',
  number: 12,
  application: 'web',
  workflow: 'CI',
  title: 'Say hello',
  event: 'push',
  ref: 'refs/heads/main',
  sha: 'b'.repeat(40),
  actor: 'ada',
  attempt: 1,
  state: 'done',
  conclusion: 'failure',
  createdAt: at(0),
  startedAt: at(0),
  finishedAt: at(41),
  reason: { code: 'JOB_FAILED', message: 'job "test" failed.' },
  jobs: [
    {
      key: 'test',
      jobId: 'test',
      name: 'test',
      state: 'done',
      attempt: 1,
      conclusion: 'failure',
      outputs: {},
      annotations: [],
      startedAt: at(0),
      finishedAt: at(12),
      reason: { code: 'STEP_FAILED', message: 'Step "Unit tests" exited with 1.' },
      steps: [
        {
          number: 1,
          id: '__run',
          name: 'Unit tests',
          state: 'done',
          outcome: 'failure',
          conclusion: 'failure',
          durationMs: 3100,
        },
      ],
    },
    {
      key: 'integration',
      jobId: 'integration',
      name: 'integration',
      state: 'done',
      attempt: 1,
      conclusion: 'success',
      outputs: {},
      annotations: [],
      startedAt: at(0),
      finishedAt: at(129),
      steps: [],
    },
    {
      key: 'ship',
      jobId: 'ship',
      name: 'ship',
      state: 'done',
      attempt: 0,
      conclusion: 'skipped',
      outputs: {},
      annotations: [],
      reason: { code: 'JOB_SKIPPED', message: 'Job "test", which it needs, failed.' },
      steps: [],
    },
  ],
  releases: [],
  deployments: [
    {
      id: 'dep_1',
      application: 'web',
      environment: 'staging',
      release: '3'.repeat(64),
      version: 'v1.4.3',
      mode: 'deploy',
      state: 'waiting',
      requestedBy: 'ada',
      createdAt: at(30),
      reason: approval,
    },
  ],
}

function at(seconds: number): number {
  return goldenNow + seconds * 1000
}
