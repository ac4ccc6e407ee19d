import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { renderLogRecord } from '#core/step/log-index.ts'
import type { RunEvent } from '#core/run/event.ts'
import type { FollowItem } from '#ports/agent-client.ts'
import type { Query } from '#ports/sql-driver.ts'
import { Follower } from './follow.ts'

/** A history that grows by hand: the one statement that a follower makes, answered from memory. */
class History {
  readonly #rows: { run: string; seq: number; at: number; type: string; body: string }[] = []

  add(...events: readonly RunEvent[]): void {
    for (const { type, ...body } of events)
      this.#rows.push({ run: 'run_1', seq: this.#rows.length + 1, at: 0, type, body: JSON.stringify(body) })
  }

  readonly query = (async (_sql: string, [run, after, limit]: readonly (string | number)[]) =>
    this.#rows.filter((row) => row.run === run && row.seq > Number(after)).slice(0, Number(limit))) as unknown as Query
}

let root: string

beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'shipway-follow-'))
  mkdirSync(path.join(root, 'runs/run_1/logs'), { recursive: true })
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

const log = (): string => path.join(root, 'runs/run_1/logs/a.1.log')

/** Writes as a runner does: the place in the index first, then the text. */
function print(step: number, text: string, offset: number): void {
  appendFileSync(`${log()}.idx`, renderLogRecord({ offset, atMs: 0, step, stream: 'out' }))
  appendFileSync(log(), text)
}

function follow(): { readonly follower: Follower; readonly seen: string[] } {
  const seen: string[] = []
  const onItem = (item: FollowItem): void => {
    seen.push(item.kind === 'log' ? item.text : item.stored.event.type)
  }
  return { follower: new Follower(openHomeFiles(root), 'run_1', { logs: true, deployments: true, onItem }), seen }
}

const started = (number: number): RunEvent => ({
  type: 'step.started',
  key: 'a',
  attempt: 1,
  step: { number, id: 's', name: 's', status: 'running' },
})
const finished = (number: number): RunEvent => ({
  type: 'step.finished',
  key: 'a',
  attempt: 1,
  step: { number, id: 's', name: 's', status: 'done' },
})

describe('Following a run', () => {
  test('shows the lines of a step between its start and its end, although the log was faster than the history', async () => {
    const history = new History()
    const { follower, seen } = follow()
    history.add({ type: 'job.started', key: 'a', name: 'a', attempt: 1 }, started(1))
    print(1, 'one\n', 0)
    print(2, 'two\n', 4)
    await follower.read(history.query)
    expect(seen).toEqual(['job.started', 'step.started', 'one\n'])

    history.add(finished(1), started(2))
    await follower.read(history.query)
    expect(seen.slice(3)).toEqual(['step.finished', 'step.started', 'two\n'])
  })

  test('keeps a started line until its end is there, and gives it whole when the job has ended', async () => {
    const history = new History()
    const { follower, seen } = follow()
    history.add({ type: 'job.started', key: 'a', name: 'a', attempt: 1 }, started(1))
    print(1, 'whole\nhal', 0)
    await follower.read(history.query)
    expect(seen.at(-1)).toBe('whole\n')

    history.add({ type: 'job.finished', key: 'a', name: 'a', conclusion: 'success', annotations: [] })
    await follower.read(history.query)
    expect(seen.slice(-2)).toEqual(['hal\n', 'job.finished'])
  })

  test('does not split a character that was cut by a write', async () => {
    const history = new History()
    const { follower, seen } = follow()
    history.add({ type: 'job.started', key: 'a', name: 'a', attempt: 1 }, started(1))
    const bytes = Buffer.from('grün\n')
    appendFileSync(log(), bytes.subarray(0, 3))
    await follower.read(history.query)
    appendFileSync(log(), bytes.subarray(3))
    await follower.read(history.query)
    expect(seen.at(-1)).toBe('grün\n')
  })

  test('is over when the run is settled, and waits when a deployment of it waits for a person', async () => {
    const history = new History()
    const { follower } = follow()
    history.add({ type: 'run.finished', conclusion: 'success' })
    await follower.read(history.query)
    expect(follower.state).toBe('running')

    history.add(
      { type: 'deployment.requested', deployment: 'dep_1', environment: 'production', release: 'x' },
      { type: 'run.settled' },
    )
    await follower.read(history.query)
    expect(follower.state).toBe('running')
    expect(follower.has('dep_1')).toBe(true)
  })
})
