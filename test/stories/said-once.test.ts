import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { requireSystem } from '../rig/system.ts'
import { onTerminal } from '../rig/terminal.ts'

const missing = await requireSystem(['bsdutils'])

const job = (step: string): string => `name: CI
on: push
jobs: { a: { runs-on: ubuntu-latest, steps: [${step}] } }
`

test(
  '`why` tells of a job that could not be set up what is wrong and what to do, and not what the job is',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': job('{ uses: acme/none@v1 }') })
    await using shipway = new Shipway()
    const run = await shipway.call(repository.root, 'run', 'push')
    expect(run.status).toBe(1)

    const { stdout } = await shipway.call(repository.root, 'why', 'latest')

    expect(stdout).toMatch(/Step "Set up job": "acme\/none@v1" is not in the store of actions/)
    expect(stdout).toContain('shipway actions add')
    for (const text of [stdout, run.stdout.slice(run.stdout.indexOf('last lines:'))])
      expect(text).not.toMatch(/│ (?:Job "a" of|Runner |Commit |Workspace )/)
    expect(stdout.split('fetching actions is switched off').length - 1).toBe(1)
    expect((await shipway.call(repository.root, 'logs', 'latest')).stdout).toContain('Workspace ')
  },
)

describe.skipIf(missing !== undefined)(`on a terminal ${missing ?? ''}`, { tags: ['slow'] }, () => {
  test('a promotion that waits says once for what, and once what to type', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': job(`{ run: 'true' }`),
      'shipway.yml': `name: shop
environments:
  staging: { targets: [./staging] }
  production: { targets: [./place], after: [staging], approvals: { count: 1 } }
`,
    })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    expect((await call('run', 'push')).status).toBe(0)
    expect((await call('deploy', 'staging', '--yes')).status).toBe(0)

    const args = ['promote', 'production', '--yes', '--home', shipway.home]
    const { status, output } = await onTerminal(
      repository.root,
      { ...shipway.env, TERM: 'xterm' },
      { args, answers: [] },
    )

    expect(status).toBe(8)
    expect(output).toMatch(/shop \S+ → production waiting/)
    expect(output.split('production needs 1 approval').length - 1).toBe(1)
    expect(output.split('shipway approve dep_').length - 1).toBe(1)
  })
})
