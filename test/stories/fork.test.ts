import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: pull_request
jobs:
  live:
    runs-on: ubuntu-latest
    environment: live
    steps: [{ run: 'echo deployed-it' }]
`
const config = 'name: shop\nenvironments: { live: { targets: [./targets/live] } }\n'
const eventOf = (repository: string) =>
  JSON.stringify({
    action: 'opened',
    number: 7,
    pull_request: {
      number: 7,
      head: { ref: 'x', repo: { full_name: repository, fork: repository !== 'acme/shop' } },
      base: { ref: 'main', repo: { full_name: 'acme/shop' } },
    },
    sender: { login: 'eve' },
  })

test(
  'a pull request of another repository reaches no environment, one of the repository itself does',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow, 'shipway.yml': config })
    await using shipway = new Shipway()
    const run = async (from: string) => {
      const file = path.join(shipway.home, 'event.json')
      writeFileSync(file, eventOf(from))
      return shipway.call(repository.root, 'run', 'pull_request', '--ref', 'refs/pull/7/merge', '--event-file', file)
    }

    const stranger = await run('eve/shop')
    expect(stranger.status).toBe(1)
    expect(stranger.stdout + stranger.stderr).toContain('live takes nothing from a pull request of another repository')
    expect(stranger.stdout + stranger.stderr).not.toContain('│ deployed-it')
    const why = await shipway.call(repository.root, 'why', 'latest')
    expect(why.stdout).toContain('FORK_NOT_ADMITTED')
    expect((await shipway.call(repository.root, 'audit')).stdout).toContain('sender=eve')

    const own = await run('acme/shop')
    expect(own.status).toBe(0)
  },
)

const targeted = (job: string) => `on: pull_request_target
jobs:
  live:
    runs-on: ubuntu-latest
    ${job}
`

test(
  'what a pull request of another repository starts with the workflow of the base reaches no environment: by no job, no step, not by itself, and not by hand',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({
      'shipway.yml': 'name: shop\nenvironments: { live: { from: [main], auto: true, targets: [./targets/live] } }\n',
      '.github/workflows/job.yml': targeted(
        "environment: live\n    steps: [{ run: 'echo token-$T', env: { T: '${{ secrets.TOKEN }}' } }]",
      ),
      '.github/workflows/step.yml': targeted('steps: [{ uses: shipway/deploy@v1, with: { environment: live } }]'),
      '.github/workflows/auto.yml': targeted("steps: [{ run: 'echo built' }]"),
    })
    await using shipway = new Shipway()
    mkdirSync(path.join(shipway.home, 'secrets', 'shop'), { recursive: true, mode: 0o700 })
    writeFileSync(path.join(shipway.home, 'secrets', 'shop', 'live.json'), '{"TOKEN":"of-live"}', { mode: 0o600 })
    const file = path.join(shipway.home, 'event.json')
    const run = async (workflow: string, from = 'eve/shop') => {
      writeFileSync(file, eventOf(from))
      const asked = ['run', 'pull_request_target', '--workflow', workflow, '--event-file', file] as const
      const { status, stdout, stderr } = await shipway.call(repository.root, ...asked)
      return { status, said: stdout + stderr }
    }
    const refusal = 'live takes nothing from a pull request of another repository, and this run was asked for by one'

    const job = await run('job.yml')
    expect(job).toMatchObject({ status: 1, said: expect.stringContaining(refusal) })
    expect(job.said).not.toContain('token-')
    expect(await run('step.yml')).toMatchObject({ status: 1, said: expect.stringContaining(refusal) })
    expect(await run('auto.yml')).toMatchObject({ said: expect.stringContaining(refusal) })
    const list = await shipway.call(repository.root, 'release', 'list', '--json')
    for (const { version } of (JSON.parse(list.stdout) as { items: { version: string }[] }).items)
      expect(await shipway.call(repository.root, 'deploy', 'live', version)).toMatchObject({ status: 3 })
    expect(existsSync(path.join(repository.root, 'targets'))).toBe(false)

    expect(await run('job.yml', 'acme/shop')).toMatchObject({ status: 0 })
  },
)
