import { readdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import type { RunEvent } from '../../src/core/run/event.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

/** Often enough to meet what is rare. */
const kills = 50

/** Two jobs, then two, then one: every kill hits another place of the graph. */
const workflow = `
name: Crash
on: push
jobs:
  a: { runs-on: ubuntu-latest, outputs: { v: '\${{ steps.s.outputs.v }}' }, steps: [{ id: s, run: 'sleep 0.05; echo v=1 >> "$GITHUB_OUTPUT"' }] }
  b: { runs-on: ubuntu-latest, steps: [{ run: 'sleep 0.05' }, { run: 'sleep 0.02' }] }
  c: { needs: a, runs-on: ubuntu-latest, steps: [{ run: 'test "\${{ needs.a.outputs.v }}" = 1; sleep 0.05' }] }
  d: { needs: [a, b], runs-on: ubuntu-latest, steps: [{ run: 'sleep 0.05' }] }
  f: { needs: b, uses: ./.github/workflows/lib.yml, strategy: { matrix: { n: [1, 2] } }, with: { n: '\${{ matrix.n }}' } }
  e: { needs: [c, d, f], runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`

/** What `f` calls: rows that a kill may find half done, and that begin in the middle of a run. */
const library = `
on: { workflow_call: { inputs: { n: { type: string } }, outputs: { v: { value: '\${{ jobs.y.result }}' } } } }
jobs:
  x: { runs-on: ubuntu-latest, steps: [{ run: 'test -n "\${{ inputs.n }}"; sleep 0.02' }] }
  y: { needs: x, runs-on: ubuntu-latest, steps: [{ run: 'sleep 0.02' }] }
`

interface History {
  readonly run: string
  readonly seqs: readonly number[]
  readonly events: readonly RunEvent[]
}

test(
  `An agent that is killed ${kills} times loses nothing and finishes every run once`,
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({
      '.github/workflows/crash.yml': workflow,
      '.github/workflows/lib.yml': library,
    })
    await using shipway = new Shipway()
    let random = 12_345
    const upTo = (bound: number): number => {
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648
      return random % bound
    }

    // The moment is a place in what the run prints and a little more, so that it means the same on a slow machine.
    for (let kill = 0; kill < kills; kill += 1) {
      const call = shipway.start(repository.root, 'run', 'push', '--jobs', '2')
      await call.prints(new RegExp(`(?:[^\\n]*\\n){${upTo(24)}}`)).catch(() => undefined)
      const patience = setTimeout(() => call.child.kill('SIGKILL'), upTo(80))
      await call.ended
      clearTimeout(patience)
    }
    const last = await shipway.call(repository.root, 'agent', '--until-quiet')

    expect(last.status).toBe(0)
    const histories = readHistories(path.join(shipway.home, 'state.db'))
    expect(histories.length).toBeGreaterThan(kills / 2)
    for (const { run, seqs, events } of histories) {
      expect(seqs, `${run}: events without a gap`).toEqual(seqs.map((_, index) => index + 1))
      expect(
        events.filter(({ type }) => type === 'run.finished'),
        `${run}: one end`,
      ).toHaveLength(1)
      for (const job of ['a', 'b', 'c', 'd', 'e']) expectOneEnd(run, job, events)
      for (const event of events) {
        if (event.type !== 'job.calling') continue
        expect(event.jobs.map(({ key }) => key)).toEqual([`${event.key}.x`, `${event.key}.y`])
        for (const { key } of [event, ...event.jobs]) expectOneEnd(run, key, events)
      }
    }
    expect(readdirSync(path.join(shipway.home, 'inbox'))).toEqual([])
    expect(readdirSync(path.join(shipway.home, 'processing'))).toEqual([])
  },
)

/** A job ends once, and is not started again after its end. */
function expectOneEnd(run: string, job: string, events: readonly RunEvent[]): void {
  const own = events.filter((event) => 'key' in event && event.key === job)
  const ends = own.filter(({ type }) => type === 'job.finished')
  expect(ends, `${run} ${job}: one end`).toHaveLength(1)
  const end = own.findIndex(({ type }) => type === 'job.finished')
  expect(
    own.slice(end + 1).some(({ type }) => type === 'job.started'),
    `${run} ${job}: never started again`,
  ).toBe(false)
  const [only] = ends
  if (only?.type === 'job.finished' && only.conclusion === 'failure')
    expect(['JOB_INTERRUPTED', 'CALL_NOT_GREEN']).toContain(only.reason?.code)
}

function readHistories(file: string): readonly History[] {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const runs = db.prepare('select id from run order by id').all() as { id: string }[]
    return runs.map(({ id }) => {
      const rows = db.prepare('select seq, type, body from event where run = ? order by seq').all(id) as {
        seq: number
        type: string
        body: string
      }[]
      return {
        run: id,
        seqs: rows.map(({ seq }) => seq),
        events: rows.map(({ type, body }) => ({ type, ...(JSON.parse(body) as object) }) as RunEvent),
      }
    })
  } finally {
    db.close()
  }
}
