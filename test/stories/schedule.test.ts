import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { until } from '../rig/web-fleet.ts'

const job =
  'jobs:\n  a: { runs-on: ubuntu-latest, steps: [{ run: "echo due ${{ github.event.schedule }} on ${{ github.ref }}" }] }\n'
const files = {
  '.github/workflows/often.yml': `on: { schedule: [{ cron: '*/5 * * * *' }] }\n${job}`,
  '.github/workflows/push.yml': `on: push\n${job}`,
  'shipway.yml': 'name: web\n',
}

interface Row {
  readonly event: string
  readonly state: string
  readonly conclusion: string
  readonly sha: string
}

test('an agent that stays starts a schedule of the default branch; one that ends when all is quiet starts none', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()
  const scheduled = async (): Promise<readonly Row[]> => {
    const { stdout } = await shipway.call(repository.root, 'ps', '--all', '--json')
    return (JSON.parse(stdout) as { items: readonly Row[] }).items.filter(({ event }) => event === 'schedule')
  }
  expect((await shipway.call(repository.root, 'run')).status).toBe(0)
  expect((await shipway.call(repository.root, 'agent', '--until-quiet')).status).toBe(0)
  expect(await scheduled()).toEqual([])

  const agent = shipway.start(repository.root, 'agent')
  await until('the scheduled run is done', async () => (await scheduled()).some(({ state }) => state === 'done'))
  agent.child.kill('SIGTERM')
  await agent.ended

  // A second one may just have come.
  expect((await scheduled()).some(({ conclusion }) => conclusion === 'success')).toBe(true)
  const log = await shipway.call(repository.root, 'logs', '2')
  expect(log.stdout).toContain('due */5 * * * * on refs/heads/main')
})
