import { writeFileSync } from 'node:fs'
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
