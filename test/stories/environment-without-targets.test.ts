import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `name: CI
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    environment: live
    steps: [{ run: 'echo in-live $WHERE', env: { WHERE: '\${{ vars.WHERE }}' } }]
`
const config = `name: shop
release: { files: [a.txt] }
environments:
  live: { from: [main], variables: { WHERE: here }, approvals: { count: 1 } }
`

test('an environment without targets is rules for its jobs: they wait and go on, and nothing can be deployed to it', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow, 'shipway.yml': config, 'a.txt': 'a' })
  await using shipway = new Shipway()
  const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)

  expect(await call('lint')).toMatchObject({ status: 0 })
  expect(await call('run')).toMatchObject({ status: 8 })
  expect((await call('why', 'latest')).stdout).toContain('APPROVAL_NEEDED')
  const approved = await call('approve', 'latest')
  expect(approved.status, approved.stderr).toBe(0)
  expect((await call('logs', 'latest')).stdout).toContain('in-live here')

  for (const args of [
    ['deploy', 'live', '--yes'],
    ['deploy', 'live', '--dry-run'],
    ['plan-deploy', 'live', 'latest'],
    ['promote', 'live', '--yes'],
  ])
    expect(await call(...args), args.join(' ')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('ENVIRONMENT_WITHOUT_TARGETS'),
    })
  for (const args of [['status'], ['status', '--wide', '--check'], ['env', 'list'], ['env', 'show', 'live']])
    expect(await call(...args), args.join(' ')).toMatchObject({ status: 0, stdout: expect.stringMatching(/live|shop/) })
})
