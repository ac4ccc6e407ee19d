import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const rules = `name: shop
release: { files: [app] }
environments:
  staging: { from: [main], targets: [./targets/staging], secrets: [DB_PASSWORD, REDIS_PASSWORD] }
  production:
    { from: [main], after: [staging], approvals: { count: 1 }, targets: [./targets/production], secrets: [DB_PASSWORD, SERVER_HOST] }
`
const ci = `on: push
jobs:
  build: { runs-on: ubuntu-latest, steps: [{ run: 'echo built > "$MARK"' }] }
  deploy-staging:
    needs: build
    runs-on: ubuntu-latest
    steps: [{ uses: shipway/deploy@v1, with: { environment: staging } }]
  deploy-production:
    needs: deploy-staging
    runs-on: ubuntu-latest
    environment: production
    steps: [{ run: 'true' }]
`
const maybe = `on: push
jobs:
  build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  ship:
    needs: build
    if: needs.build.outputs.version != ''
    runs-on: ubuntu-latest
    environment: production
    steps: [{ run: 'true' }]
  try: { continue-on-error: true, environment: staging, runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`
const calling = `on: push
jobs:
  build: { runs-on: ubuntu-latest, steps: [{ run: 'echo built > "$MARK"' }] }
  ship: { needs: build, uses: ./.github/workflows/called.yml, secrets: inherit }
`
const called = `on: { workflow_call: { secrets: { TOKEN: { required: true } } } }
jobs:
  there: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`

test(
  'a run that would fail for want of a secret is refused before its first job, with all that are missing; what may never come to it starts',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({
      'app/a.txt': 'one\n',
      'shipway.yml': rules,
      '.github/workflows/ci.yml': ci,
      '.github/workflows/maybe.yml': maybe,
      '.github/workflows/calling.yml': calling,
      '.github/workflows/called.yml': called,
    })
    await using shipway = new Shipway()
    const mark = path.join(shipway.home, 'mark')
    Object.assign(shipway.env, { MARK: mark, SERVER_HOST: 'host-of-acme', TOKEN: 'token-of-acme' })
    const run = async (workflow: string, ...flags: readonly string[]) =>
      shipway.call(repository.root, 'run', '--no-logs', '--env', `MARK=${mark}`, '--workflow', workflow, ...flags)

    const refused = await run('ci.yml', '--json')
    expect(refused.status).toBe(3)
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: {
        code: 'RUN_SECRETS_MISSING',
        message: expect.stringContaining('DB_PASSWORD, REDIS_PASSWORD, SERVER_HOST'),
        why: [
          'staging (job deploy-staging) needs DB_PASSWORD, REDIS_PASSWORD',
          'production (job deploy-production) needs DB_PASSWORD, SERVER_HOST',
        ],
        fix: expect.stringContaining('secrets/shop/staging.json'),
      },
    })
    expect((await run('calling.yml')).stderr).toMatch(/TOKEN[^]*called workflow \(job ship\) needs TOKEN/)
    expect(existsSync(mark)).toBe(false)
    expect(JSON.parse((await shipway.call(repository.root, 'ps', '--all', '--json')).stdout)).toMatchObject({
      items: [],
    })

    expect((await run('calling.yml', '--secret', 'TOKEN')).status).toBe(0)
    expect((await run('maybe.yml')).stderr).not.toContain('would fail')
    repository.git('branch', 'feature')
    expect(await run('ci.yml', '--ref', 'feature')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('staging takes releases from main only'),
    })

    mkdirSync(path.join(shipway.home, 'secrets/shop'), { recursive: true, mode: 0o700 })
    for (const name of ['staging', 'production'])
      writeFileSync(
        path.join(shipway.home, `secrets/shop/${name}.json`),
        '{"DB_PASSWORD":"pass-word","REDIS_PASSWORD":"pass-redis"}',
        { mode: 0o600 },
      )
    expect((await run('ci.yml')).stderr).toContain('production (job deploy-production) needs SERVER_HOST')
    expect((await run('ci.yml', '--secret', 'SERVER_HOST')).status).toBe(8)
  },
)
