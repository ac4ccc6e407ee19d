import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Coolify, coolifyToken } from '../rig/coolify.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `name: CI
on: push
jobs: { test: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }
`

/** Staging from the branch by its commit, production from the tag by its image: what the staged-release document asks of Coolify. */
function rules(staging: Coolify, production: Coolify): string {
  const health = (coolify: Coolify, value: string) =>
    `health: { url: '${coolify.url}/', contains: '\${{ ${value} }}', within: 30s, every: 20ms }`
  return `name: web
release: { files: [app.txt] }
environments:
  staging:
    from: [main]
    auto: true
    driver: webhook
    targets: ['${staging.target}']
    webhook: { kind: coolify, token: COOLIFY_TOKEN, commit: '\${{ release.sha }}', every: 10ms }
    ${health(staging, 'release.sha')}
  production:
    from: ['v*.*.*']
    auto: true
    driver: webhook
    targets: [{ at: '${production.url}', name: shop }]
    webhook: { kind: coolify, application: app1, token: COOLIFY_TOKEN, tag: '\${{ release.version }}', every: 10ms, within: 30s }
    ${health(production, 'release.version')}
`
}

describe('environments behind the webhook of a platform', { tags: ['slow'] }, () => {
  test('staging comes from the branch, production from the tag, and an old tag goes back', async () => {
    await using rig = await start()
    const { shipway, root, staging, production, repository } = rig

    expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
    expect(staging.running).toBe(repository.git('rev-parse', 'HEAD').trim())
    expect(production.running).toBeUndefined()

    for (const version of ['v1.0.0', 'v1.0.1']) {
      repository.commit({ 'app.txt': version }, version)
      repository.git('tag', version)
      const run = await shipway.call(root, 'run', 'push', '--ref', version)
      expect(run).toMatchObject({ status: 0, stdout: expect.stringContaining('cannot prove drain') })
      expect(production.running).toBe(version)
    }
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    expect(production.running).toBe('v1.0.0')
    expect((await shipway.call(root, 'rollback', 'production', '--yes')).status).toBe(0)
    expect(production.running).toBe('v1.0.1')
    expect(staging.begun).toBe(1)
  })

  test('a release that is not healthy or does not deploy goes back by deploying the one before', async () => {
    await using rig = await start()
    const { shipway, root, production, repository } = rig
    const push = async (version: string) => {
      repository.commit({ 'app.txt': version }, version)
      repository.git('tag', version)
      return shipway.call(root, 'run', 'push', '--ref', version)
    }
    expect((await push('v1.0.0')).status).toBe(0)
    production.mood.broken = 'v2.0.0'

    const broken = await push('v2.0.0')

    expect(broken).toMatchObject({ status: 1, stdout: expect.stringContaining('reverted') })
    expect(broken.stdout + broken.stderr).not.toContain(coolifyToken)
    expect(production.running).toBe('v1.0.0')
    expect(production.application['docker_registry_image_tag']).toBe('v1.0.0')
    expect((await shipway.call(root, 'why', 'production')).stdout).toContain('ended as "failed"')
  })

  test('a dry run says what cannot be proved, status what drifted, and doctor whether the token is taken', async () => {
    await using rig = await start()
    const { shipway, root, production, repository } = rig
    repository.git('tag', 'v1.0.0')
    expect((await shipway.call(root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)

    const preview = await shipway.call(root, 'deploy', 'production', '--dry-run')
    expect(preview.stdout).toMatch(/back +by deploying the release before.*receipt +cannot prove drain/s)
    expect(preview.stdout).toContain('start      the platform stops and starts it by itself')
    expect(preview.stdout).toContain('cannot see the files, variables and services that the platform really has')
    const { stdout: hash } = await shipway.call(root, 'plan-deploy', 'production', 'v1.0.0', '-q')
    expect((await shipway.call(root, 'status', '--check')).stdout).toContain('✓ v1.0.0')

    production.application['docker_registry_image_tag'] = 'by-hand'
    const drifted = await shipway.call(root, 'status', '--check')
    expect(drifted).toMatchObject({ status: 1, stdout: expect.stringContaining('shop runs tag by-hand') })
    const late = await shipway.call(root, 'deploy', 'production', '--plan', hash.trim(), '--yes')
    expect(late).toMatchObject({
      status: 3,
      stdout: expect.stringContaining('shop runs tag by-hand and not v1.0.0. Nothing was touched.'),
    })

    writeSecrets(shipway, 'no-token-at-all')
    const doctor = await shipway.call(root, 'doctor')
    expect(doctor.stdout).toMatch(/production shop.*401/)
    expect(doctor.stdout + doctor.stderr).not.toContain('no-token-at-all')
  })
})

async function start() {
  const [staging, production] = [await Coolify.start(), await Coolify.start()]
  const shipway = new Shipway()
  const repository = new Repository()
  repository.commit({
    'shipway.yml': rules(staging, production),
    'app.txt': 'first',
    '.github/workflows/ci.yml': workflow,
  })
  writeSecrets(shipway, coolifyToken)
  return {
    staging,
    production,
    shipway,
    repository,
    root: repository.root,
    [Symbol.asyncDispose]: async () => {
      await shipway[Symbol.asyncDispose]()
      await Promise.all([staging[Symbol.asyncDispose](), production[Symbol.asyncDispose]()])
      repository[Symbol.dispose]()
    },
  }
}

/** As a person keeps them: one file per environment, for the account alone. */
function writeSecrets({ home }: Shipway, token: string): void {
  const folder = path.join(home, 'secrets/web')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const name of ['staging', 'production']) {
    const file = path.join(folder, `${name}.json`)
    writeFileSync(file, JSON.stringify({ COOLIFY_TOKEN: token }), { mode: 0o600 })
    chmodSync(file, 0o600)
  }
}
