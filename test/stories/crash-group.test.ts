import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/core/run/event.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

/** `npm run test:long` kills often enough to meet what is rare. */
const [kills, rerunKills] = process.env['SHIPWAY_TEST_LONG'] === 'yes' ? [24, 12] : [10, 5]

/** Whole runs one after the other, and in another workflow single jobs: a kill finds holders, waiters, and what is between. */
const workflow = (name: string, ofRun: string, ofJob: string): string => `
name: ${name}
on: push
${ofRun}
jobs:
  a:
    ${ofJob}
    runs-on: ubuntu-latest
    strategy: { max-parallel: 1, matrix: { n: [1, 2] } }
    steps: [{ run: 'sleep 0.03' }]
  b: { needs: a, runs-on: ubuntu-latest, steps: [{ run: 'sleep 0.02' }] }
`

interface Told {
  readonly run: string
  readonly at: number
  readonly event: RunEvent
}

/** Kills calls at places of their output, and a little later. */
async function killCalls(shipway: Shipway, root: string, count: number, args: readonly string[]): Promise<void> {
  let random = 4711 + count
  const upTo = (bound: number): number => {
    random = (random * 1_103_515_245 + 12_345) % 2_147_483_648
    return random % bound
  }
  for (let kill = 0; kill < count; kill += 1) {
    const call = shipway.start(root, ...args, '--jobs', '2')
    await call.prints(new RegExp(`(?:[^\\n]*\\n){${upTo(20)}}`)).catch(() => undefined)
    const patience = setTimeout(() => call.child.kill('SIGKILL'), upTo(80))
    await call.ended
    clearTimeout(patience)
  }
}

test(
  `Groups, waiting jobs and new attempts survive an agent that is killed ${kills + rerunKills} times: one holder at a time, everything ends, nothing is doubled`,
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({
      '.github/workflows/runs.yml': workflow('Runs', 'concurrency: { group: all, queue: max }', ''),
      '.github/workflows/jobs.yml': workflow('Jobs', '', 'concurrency: { group: "site-${{ matrix.n }}", queue: max }'),
    })
    await using shipway = new Shipway()
    const { root } = repository

    await killCalls(shipway, root, kills, ['run', 'push'])
    expect((await shipway.call(root, 'agent', '--until-quiet')).status).toBe(0)
    const first = tellingOf(shipway.home)
    expectEnds(first)
    expectNoOverlap(
      intervals(
        first.filter(({ run }) => nameOf(first, run) === 'Runs'),
        'run',
      ),
    )
    for (const leg of ['a.0', 'a.1']) {
      const legs = first.filter(
        ({ run, event }) => nameOf(first, run) === 'Jobs' && 'key' in event && event.key === leg,
      )
      expectNoOverlap(intervals(legs, 'job'))
    }

    await killCalls(shipway, root, rerunKills, ['rerun', '1'])
    expect((await shipway.call(root, 'agent', '--until-quiet')).status).toBe(0)
    const run = tellingOf(shipway.home).filter((told) => told.run === first[0]?.run)
    expectAttempts(shipway.home, run)
    expect(rowsOf(shipway.home, 'select * from concurrency_member')).toEqual([])
  },
)

function rowsOf(home: string, sql: string): readonly Record<string, unknown>[] {
  using store = new DatabaseSync(path.join(home, 'state.db'), { readOnly: true })
  return store.prepare(sql).all()
}

function tellingOf(home: string): readonly Told[] {
  return rowsOf(home, 'select * from event order by run, seq').map(({ run, at, type, body }) => ({
    run: String(run),
    at: Number(at),
    event: { type, ...(JSON.parse(String(body)) as object) } as RunEvent,
  }))
}

function nameOf(all: readonly Told[], run: string): string | undefined {
  const created = all.find((told) => told.run === run && told.event.type === 'run.created')?.event
  return created?.type === 'run.created' ? created.workflow : undefined
}

function expectEnds(all: readonly Told[]): void {
  for (const [run, own] of Map.groupBy(all, (told) => told.run)) {
    expect(
      own.filter(({ event }) => event.type === 'run.finished'),
      `${run}: one end`,
    ).toHaveLength(1)
    for (const key of ['a.0', 'a.1', 'b']) {
      const ends = own.filter(({ event }) => event.type === 'job.finished' && event.key === key)
      expect(ends, `${run} ${key}: one end`).toHaveLength(1)
    }
  }
}

/** From the first start to the end of a run or of a leg: what a group must keep apart. */
function intervals(all: readonly Told[], of: 'run' | 'job'): readonly { readonly from: number; readonly to: number }[] {
  return [...Map.groupBy(all, ({ run }) => run).values()]
    .map((own) => ({
      from: own.find(({ event }) => event.type === `${of}.started`)?.at ?? Infinity,
      to: own.find(({ event }) => event.type === `${of}.finished`)?.at ?? Infinity,
    }))
    .toSorted((one, other) => one.from - other.from)
}

function expectNoOverlap(spans: readonly { readonly from: number; readonly to: number }[]): void {
  expect(spans.length).toBeGreaterThan(kills / 3)
  for (const [index, span] of spans.entries()) {
    const before = spans[index - 1]
    if (before !== undefined) expect(span.from).toBeGreaterThanOrEqual(before.to)
  }
}

/** Each attempt has one end; no log of a job was written twice: its starts are counted on through all attempts. */
function expectAttempts(home: string, run: readonly Told[]): void {
  const attempts = run.flatMap(({ event }) => (event.type === 'run.restarted' ? [event.attempt] : []))
  expect(attempts.length).toBeGreaterThan(0)
  expect(attempts).toEqual(attempts.map((_, index) => index + 2))
  expect(run.filter(({ event }) => event.type === 'run.finished')).toHaveLength(attempts.length + 1)
  const starts = run.flatMap(({ event }) => (event.type === 'job.started' ? [`${event.key}.${event.attempt}`] : []))
  expect(new Set(starts).size).toBe(starts.length)
  const kept = rowsOf(home, `select attempt from run_attempt where run = '${run[0]?.run ?? ''}' order by attempt`)
  expect(kept.map(({ attempt }) => attempt)).toEqual(attempts.map((attempt) => attempt - 1))
}
