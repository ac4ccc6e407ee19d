import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import type { Call } from '../rig/shipway.ts'
import { until } from '../rig/web-fleet.ts'

/** A run that notes its number, waits until somebody lets it go, and notes that it has left. */
const held = (concurrency: string): string => `name: Held
on: push
concurrency: ${concurrency}
jobs:
  work:
    runs-on: ubuntu-latest
    steps:
      - run: echo "in \${{ github.run_number }}" >> "$NOTES/notes"; until [ -e "$NOTES/go-\${{ github.run_number }}" ]; do sleep 0.02; done; echo "out \${{ github.run_number }}" >> "$NOTES/notes"
`

class Group implements AsyncDisposable {
  readonly repository: Repository
  readonly shipway = new Shipway()

  constructor(workflow: string) {
    this.repository = new Repository({ '.github/workflows/held.yml': workflow })
  }

  /** Starts a run and waits until it has begun or waits. */
  async push(shows: RegExp): Promise<Call> {
    const { shipway, repository } = this
    const call = shipway.start(repository.root, 'run', 'push', '--env', `NOTES=${shipway.home}`, '--jobs', '4')
    await call.prints(shows)
    return call
  }

  letGo(run: number): void {
    writeFileSync(path.join(this.shipway.home, `go-${run}`), '')
  }

  get notes(): readonly string[] {
    const file = path.join(this.shipway.home, 'notes')
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  }

  async says(...args: readonly string[]): Promise<string> {
    return (await this.shipway.call(this.repository.root, ...args)).stdout
  }

  get ends(): readonly string[] {
    using store = new DatabaseSync(path.join(this.shipway.home, 'state.db'), { readOnly: true })
    const rows = store.prepare('select conclusion from run order by number').all() as { conclusion: string }[]
    const left = store.prepare('select run from concurrency_member').all()
    return [...rows.map(({ conclusion }) => conclusion), ...left.map(() => 'left in the group')]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shipway[Symbol.asyncDispose]()
    this.repository[Symbol.dispose]()
  }
}

const begins = /work started/
const waits = /waits for the concurrency group/i

describe('A concurrency group', { tags: ['slow'] }, () => {
  test('lets one run at a time in, keeps the newest that waits, and says who has it and who took whose place', async () => {
    await using group = new Group(held("{ group: 'Deploy-${{ github.ref }}' }"))
    const first = await group.push(begins)
    await until('it runs', () => group.notes.length === 1)
    const second = await group.push(waits)
    expect(await group.says('ps')).toContain('run #1 Held has it')
    expect(await group.says('why', '2')).toMatch(/"Deploy-refs\/heads\/main": run #1 Held has it.*CONCURRENCY_TAKEN/)

    const third = await group.push(waits)
    expect(await second.ended).toMatchObject({ status: 1 })
    expect(await group.says('why', '2')).toMatch(/Run #3 Held has taken its place.*CONCURRENCY_REPLACED/)
    group.letGo(1)
    group.letGo(3)

    expect(await Promise.all([first.ended, third.ended])).toMatchObject([{ status: 0 }, { status: 0 }])
    expect(group.notes).toEqual(['in 1', 'out 1', 'in 3', 'out 3'])
    expect(group.ends).toEqual(['success', 'cancelled', 'success'])
  })

  test('cancels what is in progress where the newer run asks for it, and lets it end first', async () => {
    await using group = new Group(held('{ group: x, cancel-in-progress: "${{ github.event_name == \'push\' }}" }'))
    const first = await group.push(begins)
    await until('it runs', () => group.notes.length === 1)
    group.letGo(2)
    const second = await group.push(begins)

    expect(await first.ended).toMatchObject({ status: 1, stdout: expect.stringContaining('asked by run #2') })
    expect(await second.ended).toMatchObject({ status: 0 })
    expect(group.notes).toEqual(['in 1', 'in 2', 'out 2'])
    expect(group.ends).toEqual(['cancelled', 'success'])
    expect(await group.says('why', '1')).toContain('Run #2 Held cancels what is in progress')
  })

  test('keeps all that wait with queue: max, in the order of their coming', async () => {
    await using group = new Group(held('{ group: x, queue: max }'))
    const first = await group.push(begins)
    const second = await group.push(waits)
    const third = await group.push(/and 1 more comes first/)
    const calls = [first, second, third]
    for (const run of [3, 2, 1]) group.letGo(run)

    for (const call of calls) expect(await call.ended).toMatchObject({ status: 0 })
    expect(group.notes).toEqual(['in 1', 'out 1', 'in 2', 'out 2', 'in 3', 'out 3'])
  })

  test('survives the agent that is killed while one run has it and another waits: both end, one after the other', async () => {
    await using group = new Group(held('x'))
    const first = await group.push(begins)
    await until('it runs', () => group.notes.length === 1)
    const second = await group.push(waits)
    first.child.kill('SIGKILL')
    await first.ended
    await until('it runs again', () => group.notes.length === 2)
    group.letGo(2)
    group.letGo(1)

    expect(await second.ended).toMatchObject({ status: 0 })
    expect(group.notes).toEqual(['in 1', 'in 1', 'out 1', 'in 2', 'out 2'])
    expect((await group.shipway.call(group.repository.root, 'agent', '--until-quiet')).status).toBe(0)
    expect(group.ends).toEqual(['success', 'success'])
  })

  test('of a job lets jobs of several runs in one after the other, and one that is its own run’s is an error', async () => {
    await using jobs = new Group(
      held('{ group: "${{ github.sha }}-${{ github.run_id }}" }').replace(
        '  work:\n',
        '  work:\n    concurrency: { group: site, queue: max }\n',
      ),
    )
    const first = await jobs.push(begins)
    const second = await jobs.push(/work waits.*job "work" of run #1 Held has it/)
    jobs.letGo(2)
    jobs.letGo(1)
    expect(await Promise.all([first.ended, second.ended])).toMatchObject([{ status: 0 }, { status: 0 }])
    expect(jobs.notes).toEqual(['in 1', 'out 1', 'in 2', 'out 2'])

    await using own = new Group(held('Site').replace('  work:\n', '  work:\n    concurrency: site\n'))
    const refused = await own.shipway.call(own.repository.root, 'run', 'push')
    expect(refused).toMatchObject({ status: 1, stdout: expect.stringContaining('belongs to its own run already') })
  })
})
