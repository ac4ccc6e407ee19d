import { describe, expect, test } from 'vitest'
import type { DeploymentEvent, RunEvent } from '#core/run/event.ts'
import type { FollowItem } from '#ports/agent-client.ts'
import { renderFooter, renderItem } from '#cli/live/live-log.ts'
import { startLive } from '#cli/live/live-state.ts'
import type { LiveView } from '#cli/live/live-state.ts'
import { makePalette } from '#cli/palette.ts'
import { goldenNow } from '../rig/cli-world.ts'

const plain = makePalette({ env: {} }, false, undefined)
const coloured = makePalette({ env: {} }, true, undefined)
const asLog: LiveView = { palette: plain, isStamped: true, isQuiet: false, hasLogs: true }
const onScreen: LiveView = { ...asLog, palette: coloured, isStamped: false }
const approval = { code: 'APPROVAL_NEEDED', message: 'prod needs 1 approval.', hint: '`shipway approve dep_1`' }

/** A run as an agent reports it: a red job, a lost one, a matrix, a step that deploys and waits for a person. */
const recorded: readonly FollowItem[] = [
  run(0, {
    type: 'run.created',
    number: 12,
    title: 'Say hello',
    workflow: 'CI',
    event: 'push',
    ref: 'refs/heads/main',
    sha: 'b'.repeat(40),
  }),
  run(0, { type: 'run.started' }),
  run(0, {
    type: 'job.planned',
    job: 'test',
    legs: [
      { key: 'test.0', name: 'test (20)' },
      { key: 'test.1', name: 'test (22)' },
    ],
  }),
  run(1, { type: 'job.ready', key: 'test.0', name: 'test (20)' }),
  run(1, { type: 'job.started', key: 'test.0', name: 'test (20)', attempt: 1 }),
  run(1, {
    type: 'job.waiting',
    key: 'test.1',
    name: 'test (22)',
    reason: { code: 'RUNNERS_BUSY', message: 'All 1 runners are busy.' },
  }),
  run(2, {
    type: 'step.started',
    key: 'test.0',
    attempt: 1,
    step: { number: 0, id: '__set_up', name: 'Set up job', status: 'running' },
  }),
  run(2, {
    type: 'step.finished',
    key: 'test.0',
    attempt: 1,
    step: {
      number: 0,
      id: '__set_up',
      name: 'Set up job',
      status: 'done',
      outcome: 'success',
      conclusion: 'success',
      durationMs: 20,
    },
  }),
  run(2, {
    type: 'step.started',
    key: 'test.0',
    attempt: 1,
    step: { number: 1, id: '__run', name: 'Unit tests', status: 'running' },
  }),
  log(
    'test.0',
    '##[group]Run npm test\nnpm test\n##[endgroup]\n\u001b[32mok 1\u001b[0m\r\n\u001b]0;owned\u0007\u001b[2Jnot ok 2\n##[error]expected 2, found 3\n',
  ),
  run(5, {
    type: 'step.finished',
    key: 'test.0',
    attempt: 1,
    step: {
      number: 1,
      id: '__run',
      name: 'Unit tests',
      status: 'done',
      outcome: 'failure',
      conclusion: 'failure',
      durationMs: 3100,
      reason: 'It exited with 1.',
    },
  }),
  run(5, {
    type: 'step.finished',
    key: 'test.0',
    attempt: 1,
    step: {
      number: 2,
      id: '__run_2',
      name: 'Lint',
      status: 'done',
      outcome: 'failure',
      conclusion: 'success',
      durationMs: 40,
    },
  }),
  run(5, {
    type: 'step.finished',
    key: 'test.0',
    attempt: 1,
    step: {
      number: 3,
      id: '__run_3',
      name: 'Publish',
      status: 'done',
      outcome: 'skipped',
      conclusion: 'skipped',
      durationMs: 0,
      reason: 'A step before it failed.',
    },
  }),
  run(6, {
    type: 'job.finished',
    key: 'test.0',
    name: 'test (20)',
    conclusion: 'failure',
    annotations: [],
    reason: { code: 'STEP_FAILED', message: 'Step "Unit tests" exited with 1.' },
  }),
  run(6, { type: 'job.started', key: 'test.1', name: 'test (22)', attempt: 1 }),
  run(7, {
    type: 'job.lost',
    key: 'test.1',
    name: 'test (22)',
    attempt: 1,
    reason: { code: 'RUNNER_GONE', message: 'its runner vanished.' },
  }),
  run(7, { type: 'job.started', key: 'test.1', name: 'test (22)', attempt: 2 }),
  log('test.1', 'Job "test" of ci.yml, attempt 2\n##[warning]the clock of this machine is slow\n'),
  stepStarted(7, 'test.1', 1, 'Run npm ci'),
  log('test.1', '##[group]Run npm ci\nnpm ci\nshell: /bin/bash -e {0}\nenv:\n  CI: true\n'),
  log('test.1', '##[endgroup]\n::group::\n##[group]Install\nadded 3 packages\n##[endgroup]\n'),
  stepStarted(7, 'test.1', 2, 'Keep'),
  log('test.1', '##[group]Run actions/upload-artifact@v4\nwith:\n  path: dist\n##[endgroup]\nno newline at the end\n'),
  stepStarted(7, 'test.1', 3, 'Pack'),
  log('test.1', '##[group]Run cd dist\ncd dist\ntar -c .\nshell: /bin/bash -e {0}\n'),
  run(8, { type: 'job.finished', key: 'test.1', name: 'test (22)', conclusion: 'success', annotations: [] }),
  run(8, { type: 'release.sealed', release: '3'.repeat(64), version: 'v1.4.3' }),
  run(8, { type: 'job.started', key: 'ship', name: 'ship', attempt: 1 }),
  run(9, { type: 'deployment.requested', deployment: 'dep_1', environment: 'prod', release: '3'.repeat(64) }),
  deployment(9, {
    type: 'deployment.created',
    environment: 'prod',
    release: '3'.repeat(64),
    version: 'v1.4.3',
    kind: 'deploy',
    targets: ['a', 'b'],
  }),
  stepStarted(9, 'ship', 1, 'Deploy'),
  log('ship', 'Deploying v1.4.3 to prod (a, b)\n'),
  deployment(9, { type: 'deployment.waiting', reason: approval }),
  run(9, { type: 'run.waiting', reason: approval }),
  run(9, { type: 'run.waiting', reason: approval }),
  deployment(70, {
    type: 'approval.recorded',
    environment: 'prod',
    decision: 'approve',
    actor: 'grace',
    reason: 'looks good',
  }),
  deployment(71, { type: 'deployment.phase', phase: 'prepare' }),
  deployment(80, { type: 'deployment.finished', conclusion: 'success' }),
  run(80, { type: 'job.finished', key: 'ship', name: 'ship', conclusion: 'success', annotations: [] }),
  run(81, { type: 'run.cancelling', by: 'ada', reason: 'enough' }),
  run(82, { type: 'run.finished', conclusion: 'failure' }),
]

function stepStarted(seconds: number, key: string, number: number, name: string): FollowItem {
  return run(seconds, {
    type: 'step.started',
    key,
    attempt: 1,
    step: { number, id: `__${number}`, name, status: 'running' },
  })
}

/** A deployment that nobody's step waits for: it tells its own story. */
const deploymentAlone: readonly FollowItem[] = [
  deployment(0, {
    type: 'deployment.created',
    environment: 'prod',
    release: '3'.repeat(64),
    version: 'v1.4.3',
    kind: 'promote',
    targets: ['a'],
  }),
  deployment(1, { type: 'deployment.phase', phase: 'prepare' }),
  deployment(1, { type: 'deployment.progress', target: 'a', line: 'uploading 3 of 12 files (1.2 MB)' }),
  deployment(2, { type: 'deployment.phase', phase: 'switch' }),
  deployment(2, { type: 'deployment.phase', phase: 'switch', target: 'a' }),
  deployment(3, { type: 'deployment.phase', phase: 'verify' }),
  deployment(63, { type: 'deployment.phase', phase: 'revert', target: 'a' }),
  deployment(64, {
    type: 'environment.held',
    environment: 'prod',
    reason: { code: 'RELEASE_REVERTED', message: 'v1.4.3 was put back.' },
  }),
  deployment(64, {
    type: 'deployment.finished',
    conclusion: 'reverted',
    reason: { code: 'HEALTH_FAILED', message: 'It answered 503 for 60s.' },
  }),
]

describe('the live log', () => {
  test('of a run, as a log that nobody watches keeps it', async () => {
    await expect(play(recorded, asLog)).toMatchFileSnapshot('screen/live-run.txt')
  })

  test('of a run on a terminal', async () => {
    await expect(play(recorded, onScreen)).toMatchFileSnapshot('screen/live-run-terminal.txt')
  })

  test('of a deployment that is put back', async () => {
    await expect(play(deploymentAlone, asLog)).toMatchFileSnapshot('screen/live-deployment.txt')
  })

  test('of a deployment to two targets names each', () => {
    const [created, ...others] = deploymentAlone
    if (created?.kind !== 'event' || created.stored.event.type !== 'deployment.created') throw new Error('no beginning')
    const two = { ...created.stored, event: { ...created.stored.event, targets: ['a', 'b'] } }

    const text = play([{ kind: 'event', stored: two }, ...others], { ...asLog, isStamped: false })

    expect(text).toMatch(/▶ switch\n.*▶ switch a\n/)
    expect(text).toContain('│ a: uploading 3 of 12 files')
  })

  test.for<readonly [screen: string, items: readonly FollowItem[]]>([
    ['live-run-no-logs', recorded],
    ['live-deployment-no-logs', deploymentAlone],
  ])('without logs is one line for each change: %s', async ([screen, items]) => {
    await expect(play(items, { ...asLog, hasLogs: false })).toMatchFileSnapshot(`screen/${screen}.txt`)
  })

  test('leaves the end of a deployment to the command that tells it with its receipt', () => {
    expect(play(deploymentAlone, { ...asLog, leavesOutEnds: true })).not.toContain('reverted in')
  })

  test('shows nothing when it is to be quiet', () => {
    expect(play(recorded, { ...asLog, isQuiet: true })).toBe('')
  })

  test('leaves out what happened before a moment, and the logs of jobs that began before it', () => {
    const text = play(recorded, { ...asLog, since: at(8) })

    expect(text).not.toMatch(/not ok 2|Unit tests|no newline/)
    expect(text).toMatch(/Deploying v1\.4\.3 to prod/)
    expect(text.split('\n')[0]).toMatch(/test \(22\) passed in 1\.0s$/)
  })

  test('counts nothing that was done before that moment, and leaves the screen alone meanwhile', () => {
    const state = startLive()
    const shown = recorded.map((item) => renderItem(state, item, { ...asLog, since: at(79) }))

    expect(shown.indexOf(undefined)).toBe(0)
    expect(shown.lastIndexOf(undefined)).toBeGreaterThan(20)
    expect(renderFooter(state, at(90))).toBe('done: 1')
  })

  test('lets no control sequence of a log through but colours, and none into a pipe', () => {
    const onTerminal = play(recorded, onScreen)
    const inPipe = play(recorded, { ...asLog, isStamped: false })

    // oxlint-disable-next-line no-control-regex -- it is what the test looks for
    expect(onTerminal.replaceAll(/\u001b\[[\d;]*m/g, '')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
    // oxlint-disable-next-line no-control-regex -- it is what the test looks for
    expect(inPipe).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/)
    expect(inPipe).toContain('not ok 2')
  })

  test('has a footer that tells what runs, waits and is done', () => {
    const state = startLive()
    const view = { ...asLog, isStamped: false }
    for (const item of recorded.slice(0, 6)) renderItem(state, item, view)
    expect(renderFooter(state, at(31))).toBe('running: test (20) 30s · waiting: 1')

    for (const item of recorded.slice(6)) renderItem(state, item, view)
    expect(renderFooter(state, at(90))).toBe('done: 3')
  })
})

function play(items: readonly FollowItem[], view: LiveView): string {
  const state = startLive()
  return items.map((item) => renderItem(state, item, view)).join('')
}

function at(second: number): number {
  return goldenNow + second * 1000
}

function run(second: number, event: RunEvent): FollowItem {
  return { kind: 'event', stored: { subject: 'run_1', seq: 1, at: at(second), event } }
}

function deployment(second: number, event: DeploymentEvent): FollowItem {
  return { kind: 'event', stored: { subject: 'dep_1', seq: 1, at: at(second), event } }
}

function log(jobKey: string, text: string): FollowItem {
  return { kind: 'log', runId: 'run_1', jobKey, attempt: 1, text }
}
