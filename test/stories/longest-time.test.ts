import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const files = {
  'shipway.yml': `name: shop
environments: { production: { targets: [./place], approvals: { count: 1 } } }
`,
  '.github/workflows/ci.yml': `name: CI
on: push
jobs:
  ship: { runs-on: ubuntu-latest, environment: production, steps: [{ run: 'echo shipped' }] }
  after: { needs: ship, if: failure(), runs-on: ubuntu-latest, steps: [{ run: 'echo looked after' }] }
`,
}

test.for([
  [
    'a job that nobody has approved for 30 days fails',
    'update job set waits_since = waits_since - 31 * 86400000',
    'failure',
    /JOB_NOT_LET_IN|has waited for the environment "production" for 30 days/,
    true,
  ],
  [
    'a run that has taken 35 days is cancelled',
    'update run set started_at = started_at - 36 * 86400000',
    'cancelled',
    /The run has taken 35 days/,
    false,
  ],
] as const)(
  'The next agent finds that time is over: %s',
  { tags: ['slow'] },
  async ([, sql, conclusion, why, looksAfter]) => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    expect((await call('run', 'push')).status).toBe(8)
    const database = new DatabaseSync(path.join(shipway.home, 'state.db'))
    expect(database.prepare(sql).run().changes).toBeGreaterThan(0)
    database.close()

    expect((await call('agent', '--until-quiet')).status).toBe(0)

    const ps = JSON.parse((await call('ps', '--all', '--json')).stdout)
    expect(ps).toMatchObject({ items: [{ state: 'done', conclusion }] })
    expect((await call('why', 'latest')).stdout).toMatch(why)
    expect((await call('logs', 'latest')).stdout.includes('looked after')).toBe(looksAfter)
  },
)
