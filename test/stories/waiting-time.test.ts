import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: push
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }
`
const day = (offsetDays: number): string => new Date(Date.now() + offsetDays * 86_400_000).toISOString().slice(0, 10)

describe('time as a rule', { tags: ['slow'] }, () => {
  test('a frozen environment takes nothing but a rollback, and says until when', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    const { root } = repository
    const rules = (freeze: string) =>
      `name: shop\nenvironments:\n  live: { targets: [./targets/live], freeze: [${freeze}] }\n`
    const ship = async (freeze: string) => {
      repository.commit({ 'shipway.yml': rules(freeze), text: `${freeze}${Math.random()}` })
      expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
      return shipway.call(root, 'deploy', 'live', '--yes')
    }
    expect((await ship('')).status).toBe(0)
    expect((await ship(`{ from: ${day(-9)}, to: ${day(-8)} }`)).status).toBe(0)

    const frozen = await ship(`{ from: ${day(-1)}, to: ${day(1)}, reason: holidays }`)
    expect(frozen.status).toBe(8)
    expect(frozen.stdout + frozen.stderr).toContain(`live is frozen until ${day(2)} 00:00 UTC: holidays.`)

    expect((await shipway.call(root, 'rollback', 'live', '--yes')).status).toBe(0)
  })

  test('a release waits until it has run for long enough where it must prove itself, and then goes on by itself', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    const { root } = repository
    repository.commit({
      'shipway.yml':
        'name: shop\nenvironments:\n  staging: { targets: [./targets/staging], auto: true }\n  live: { targets: [./targets/live], after: [staging], soak: 5s }\n',
    })
    expect((await shipway.call(root, 'run', 'push')).status).toBe(0)

    const early = await shipway.call(root, 'promote', 'live', '--yes')
    expect(early.status).toBe(8)
    expect(early.stdout + early.stderr).toMatch(/live takes what staging has run for 5s; it has run it for \ds/)

    const runs = async (): Promise<string> => {
      await shipway.call(root, 'agent', '--until-quiet')
      return (await shipway.call(root, 'env', 'show', 'live', '--json')).stdout
    }
    await expect.poll(runs, { timeout: 60_000, interval: 500 }).toContain('"current":{')
  })
})
