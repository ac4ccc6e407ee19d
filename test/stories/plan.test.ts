import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const job = 'jobs:\n  a: { runs-on: linux, steps: [{ run: "echo due ${{ github.event.schedule }}" }] }\n'
const files = {
  '.github/workflows/nightly.yml': `on: { schedule: [{ cron: '0 3 * * *', timezone: Europe/Berlin }] }\n${job}`,
  '.github/workflows/pages.yml': `on: { pull_request: { paths: ['docs/**'] } }\n${job}`,
  '.github/workflows/push.yml': `on: push\n${job}`,
  '.github/workflows/deploy.yml': `on: { workflow_dispatch: { inputs: { to: { type: environment, required: true } } } }\n${job}`,
  'shipway.yml': 'environments:\n  staging: { targets: [./t] }\n',
  'app.txt': 'one\n',
}

interface Plan {
  readonly event: { readonly ref: string; readonly sha: string }
  readonly items: readonly {
    readonly file: string
    readonly runs: boolean
    readonly reason: string | null
    readonly schedules?: readonly {
      readonly cron: string
      readonly timezone: string
      readonly next: readonly string[]
    }[]
  }[]
}

async function plan(shipway: Shipway, repository: Repository, ...args: readonly string[]): Promise<Plan> {
  const end = await shipway.call(repository.root, 'plan', '--json', ...args)
  expect(end.status).toBe(0)
  return JSON.parse(end.stdout) as Plan
}

test('a schedule is of the default branch, wherever one stands, and a plan says when it comes next', async () => {
  using repository = new Repository(files, 'master')
  await using shipway = new Shipway()
  const tip = repository.git('rev-parse', 'HEAD')
  repository.git('checkout', '--quiet', '-b', 'topic')
  repository.commit({ 'app.txt': 'two\n' })

  const { event, items } = await plan(shipway, repository, 'schedule', '--workflow', 'nightly.yml')
  expect(event).toMatchObject({ ref: 'refs/heads/master', sha: tip })
  expect(items).toMatchObject([{ runs: true, schedules: [{ cron: '0 3 * * *', timezone: 'Europe/Berlin' }] }])
  const [next = ''] = items[0]?.schedules?.[0]?.next ?? []
  expect(next).toMatch(/^\d{4}-\d\d-\d\dT0[12]:00:00\.000Z$/)
  expect(Date.parse(next) - Date.now()).toBeLessThan(26 * 3_600_000)

  const there = await plan(shipway, repository, 'schedule', '--ref', 'topic', '--workflow', 'nightly.yml')
  expect(there.items).toMatchObject([{ runs: false, reason: expect.stringContaining('default branch master only') }])
  const shown = await shipway.call(repository.root, 'plan', 'schedule')
  expect(shown.stdout).toMatch(/0 3 \* \* \* {2}Europe\/Berlin {2}next \d{4}/)

  const run = await shipway.call(repository.root, 'run', 'schedule')
  expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('due 0 3 * * *') })
})

test('a pull request is judged by all that it changes against its base, and by the mark of its head commit', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()
  repository.git('checkout', '--quiet', '-b', 'topic')
  repository.commit({ 'docs/a.md': 'a\n' })
  repository.commit({ 'app.txt': 'two\n' })

  expect((await plan(shipway, repository, 'pull_request', '--workflow', 'pages.yml')).items).toMatchObject([
    { runs: true },
  ])
  const other = await plan(shipway, repository, 'pull_request', '--changed-files', 'app.txt', '--workflow', 'pages.yml')
  expect(other.items).toMatchObject([{ runs: false, reason: '"app.txt" is not in "paths": docs/**.' }])

  repository.commit({ 'docs/b.md': 'b\n' }, 'Write [skip ci]')
  const marked = await plan(shipway, repository, 'pull_request', '--workflow', 'pages.yml')
  expect(marked.items).toMatchObject([{ runs: false, reason: expect.stringContaining('[skip ci]') }])
  const main = await plan(shipway, repository, 'push', '--ref', 'main', '--workflow', 'push.yml')
  expect(main.items).toMatchObject([{ runs: true }])
})

test('an input of type environment must be one of shipway.yml, in a plan and in a run', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()

  for (const command of ['plan', 'run']) {
    const wrong = await shipway.call(repository.root, command, 'workflow_dispatch', '--input', 'to=prod')
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('"to" must be an environment (staging)') })
  }
  const right = await plan(
    shipway,
    repository,
    'workflow_dispatch',
    '--input',
    'to=staging',
    '--workflow',
    'deploy.yml',
  )
  expect(right.items).toMatchObject([{ runs: true }])
})

test('`plan --exit-code` ends with 9 when something would run, and 0 when nothing would', async () => {
  using repository = new Repository(files)
  await using shipway = new Shipway()

  expect((await shipway.call(repository.root, 'plan', 'push', '--exit-code')).status).toBe(9)
  expect((await shipway.call(repository.root, 'plan', 'delete', '--exit-code')).status).toBe(0)
  expect((await shipway.call(repository.root, 'help', 'exit-codes')).stdout).toMatch(/^ +9 {2}/m)
})
