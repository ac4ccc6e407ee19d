import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { startForge } from '../rig/forge.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `name: CI
on: push
jobs: { test: { runs-on: ubuntu-latest, steps: [{ uses: actions/checkout@v4 }, { run: 'test ! -e broken' }] } }
`

describe('a failure', { tags: ['slow'] }, () => {
  test('opens one issue, is told there again, and a green run of the branch closes it; a deployment has an issue of its own', async () => {
    await using forge = await startForge('gitea')
    const issues = `{ forge: gitea, repository: acme/shop, url: '${forge.url}', token: FORGE_TOKEN, from: [main] }`
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': `name: shop\nissues: ${issues}\nenvironments: { live: { targets: [./targets/live], restart: 'test ! -e bad' } }\n`,
    })
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(repository.root, ...args)
    mkdirSync(path.join(shipway.home, 'secrets'), { recursive: true, mode: 0o700 })
    writeFileSync(path.join(shipway.home, 'secrets/shop.json'), JSON.stringify({ FORGE_TOKEN: forge.token }), {
      mode: 0o600,
    })

    expect((await call('run', 'push')).status).toBe(0)
    expect(forge.calls).toEqual([])

    repository.commit({ broken: '' }, 'Break it')
    expect((await call('run', 'push')).status).toBe(1)
    expect((await call('run', 'push')).status).toBe(1)
    expect(forge.issues).toMatchObject([{ title: 'CI failed: test', labels: ['bug'], isOpen: true }])
    expect(forge.issues[0]?.body).toMatch(/- Stage: `test`\n- Run: `run #2` .*\n- Branch: `main`/)
    expect(forge.issues[0]?.comments).toHaveLength(1)

    repository.git('rm', '-q', 'broken')
    repository.commit({}, 'Mend it')
    forge.failing = 502
    const green = await call('run', 'push')
    expect(green.status).toBe(0)
    expect(forge.issues[0]?.isOpen).toBe(true)
    const untold = /The forge was not told that run #4 is green: The forge at .* did not answer.*\(ISSUE_UNREPORTED\)/
    expect((await call('why', 'latest')).stdout).toMatch(untold)
    expect((await call('why')).stdout).toMatch(untold)
    forge.failing = undefined

    repository.commit({ bad: '' }, 'Make it bad, fix issue #1')
    expect((await call('run', 'push')).status).toBe(0)
    expect((await call('deploy', 'live', '--yes')).status).toBe(1)
    expect(forge.issues[1]?.title).toBe('deployment to live failed')
    const { stdout } = await call('audit', '--json')
    const actions = (JSON.parse(stdout) as { items: readonly { action: string }[] }).items.map(({ action }) => action)
    expect(actions).toEqual(expect.arrayContaining(['issue.opened', 'issue.updated', 'issue.unreported']))
    expect(stdout).not.toContain(forge.token)

    // Whoever stays tells what could not be told, when its pause is over.
    const agent = shipway.start(repository.root, 'agent')
    await expect.poll(() => forge.issues[0]?.isOpen, { timeout: 60_000, interval: 200 }).toBe(false)
    agent.child.kill('SIGTERM')
    await agent.ended
    expect(forge.issues[0]?.comments.at(-1)).toContain('Green again')
  })
})
