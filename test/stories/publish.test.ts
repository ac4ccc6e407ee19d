import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { startForge } from '../rig/forge.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: push
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }
`

describe('a release at the forge', { tags: ['slow'] }, () => {
  test('is made by itself when production has verified its tag, with the notes since the version before', async () => {
    await using forge = await startForge('github')
    const place = mkdtempSync(path.join(tmpdir(), 'shipway-publish-'))
    const publish = `{ forge: github, repository: acme/shop, url: '${forge.url}', token: FORGE_TOKEN, after: [live] }`
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': `name: shop\nrelease: { publish: ${publish} }\nenvironments: { live: { targets: ['${place}/live'], from: ['v*.*.*'], auto: true } }\n`,
    })
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(repository.root, ...args)
    const secret = (token: string): void => {
      mkdirSync(path.join(shipway.home, 'secrets'), { recursive: true, mode: 0o700 })
      writeFileSync(path.join(shipway.home, 'secrets/shop.json'), JSON.stringify({ FORGE_TOKEN: token }), {
        mode: 0o600,
      })
    }
    try {
      secret(forge.token)
      repository.git('tag', 'v1.0.0')
      expect((await call('run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
      expect(forge.releases).toMatchObject([{ tag: 'v1.0.0', title: 'v1.0.0', isPrerelease: false }])

      repository.commit({ a: '1' }, 'feat: baskets (#12)')
      expect((await call('run', 'push')).status).toBe(0)
      repository.commit({ a: '2' }, 'fix: prices')
      repository.git('tag', 'v1.1.0-test')
      expect((await call('run', 'push', '--ref', 'v1.1.0-test')).status).toBe(0)
      const pre = forge.releases[1]
      expect(pre).toMatchObject({
        tag: 'v1.1.0-test',
        isPrerelease: true,
        sha: repository.git('rev-parse', 'HEAD').trim(),
      })
      expect(pre?.body).toMatch(
        /^<!-- shipway:release=\w+ -->\nChanges since v1\.0\.0\.\n\n## Features\n\n- feat: baskets .*\n\n## Fixes\n\n- fix: prices/,
      )

      const calls = forge.calls.length
      const again = await call('release', 'publish', 'v1.1.0-test', '--json')
      expect(JSON.parse(again.stdout)).toMatchObject({ kind: 'ReleasePublication', act: 'unchanged' })
      expect(forge.calls.slice(calls)).toEqual(['GET /repos/acme/shop/releases/tags/v1.1.0-test'])

      forge.releases[1] = { ...(pre as NonNullable<typeof pre>), body: 'By hand.' }
      const foreign = await call('release', 'publish', 'v1.1.0-test')
      expect(foreign.status).toBe(3)
      expect(foreign.stderr).toContain('PUBLICATION_FOREIGN')
      expect(forge.releases[1]?.body).toBe('By hand.')
      expect((await call('release', 'publish', 'v1.1.0-test', '--force')).stdout).toContain('updated at http://forge')
      expect(forge.releases[1]?.body).toContain('feat: baskets')

      secret('stale-token-0123456789')
      const refused = await call('release', 'publish', 'v1.0.0')
      expect(refused.status).toBe(4)
      expect(refused.stderr).toContain('FORGE_REFUSED')
      expect(refused.stderr + (await call('audit', '--json')).stdout).not.toContain('stale-token')
    } finally {
      rmSync(place, { recursive: true, force: true })
    }
  })

  test('can be seen before, and is made by hand; what keeps it away is told, and kept with the release', async () => {
    await using forge = await startForge('gitlab')
    const issues = `{ forge: gitlab, repository: acme/shop, url: '${forge.url}', token: FORGE_TOKEN, from: [nothing] }`
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': `name: shop\nissues: ${issues}\nrelease: { publish: { auto: false } }\n`,
    })
    await using shipway = new Shipway()
    const call = (...args: readonly string[]) => shipway.call(repository.root, ...args)
    repository.git('tag', 'v1.0.0')
    expect((await call('run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
    const dry = await call('release', 'publish', 'latest', '--dry-run')
    expect(dry.stdout).toMatch(/^would publish v1\.0\.0 of shop at acme\/shop \(gitlab, .*\), tag v1\.0\.0 on \w{12}:/)
    const poor = await call('release', 'publish', 'latest')
    expect(poor.status).toBe(4)
    expect(poor.stderr).toContain('FORGE_TOKEN_MISSING')
    expect(forge.calls).toEqual([])

    mkdirSync(path.join(shipway.home, 'secrets'), { recursive: true, mode: 0o700 })
    writeFileSync(path.join(shipway.home, 'secrets/shop.json'), JSON.stringify({ FORGE_TOKEN: forge.token }), {
      mode: 0o600,
    })
    forge.failing = 502
    const down = await call('release', 'publish', 'v1.0.0')
    expect(down.status).toBe(5)
    expect(forge.releases).toEqual([])
    expect((await call('release', 'show', 'v1.0.0')).stdout).toMatch(
      /published not yet: The forge at .* did not answer/,
    )
    forge.failing = undefined
    expect((await call('release', 'publish', 'v1.0.0', '-q')).stdout).toContain(
      'http://forge/acme/shop/-/releases/v1.0.0',
    )
    expect(forge.releases).toMatchObject([{ tag: 'v1.0.0' }])

    const actions = (await call('audit', '--json')).stdout
    expect(actions).toContain('release.publication-requested')
    expect(actions).toContain('release.unpublished')
    expect(actions).toContain('release.publication-created')
  })
})
