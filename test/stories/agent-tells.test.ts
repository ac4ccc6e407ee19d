import { expect, test } from 'vitest'
import { processesWith } from '../rig/sshd.ts'
import { until } from '../rig/web-fleet.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const files = {
  'shipway.yml': `name: shop
environments: { production: { targets: [./place], approvals: { count: 1 } } }
`,
  '.github/workflows/ci.yml': `name: CI
on: push
jobs:
  a: { runs-on: ubuntu-latest, steps: [{ run: 'test -e "$NOTES/begun" || { touch "$NOTES/begun"; echo begun; sleep 600; }' }] }
  ship: { needs: a, runs-on: ubuntu-latest, environment: production, steps: [{ run: 'true' }] }
`,
}

test(
  'An agent that carries on what is left tells what it does, and how each run stands when it leaves',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    const agent = async () => shipway.call(repository.root, 'agent', '--until-quiet')
    expect((await agent()).stderr).toContain('there was nothing to carry on')
    const run = shipway.start(repository.root, 'run', 'push', '--env', `NOTES=${shipway.home}`)
    await run.prints('begun')
    run.child.kill('SIGKILL')
    await run.ended

    const carried = await agent()
    expect(carried.status).toBe(0)
    expect(carried.stderr).toMatch(/a attempt 1 was lost: The agent was stopped while the job ran\./)
    expect(carried.stderr).toMatch(/a passed in .*\n(?:.*\n)*.*run #1 CI waits/)
    expect(carried.stderr).not.toContain('nothing to carry on')

    expect((await shipway.call(repository.root, 'reject', 'latest', '--detach')).status).toBe(0)
    const over = await shipway.call(repository.root, 'agent', '--until-quiet', '--json')
    expect(JSON.parse(over.stdout)).toMatchObject({ kind: 'Agent', ended: 'quiet' })
  },
)

test(
  'An approval that leaves the rest to an agent in the background says so, and not that an approval is waited for',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({
      ...files,
      '.github/workflows/ci.yml': "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }\n",
    })
    await using shipway = new Shipway()
    expect((await shipway.call(repository.root, 'run', 'push')).status).toBe(0)
    expect((await shipway.call(repository.root, 'deploy', 'production', '--yes')).status).toBe(8)

    const approved = await shipway.call(repository.root, 'approve', 'production', '--detach')
    expect(approved).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^an agent in the background .*`shipway why dep_/),
    })
    expect(approved.stdout).not.toContain('waiting')
    await until('it runs', async () => (await shipway.call(repository.root, 'status')).stdout.includes('✓'))
    await until('the agent has gone', async () => (await processesWith(shipway.home)).length === 0)
  },
)
