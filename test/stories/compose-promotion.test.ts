/**
 * The unified pipeline of the documents: a push brings the release to staging, whose services are started anew and then asked over HTTP; only what
 * answers well goes on to production. Real engine, compose, ssh and command line.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ComposeLane, laneFiles } from '../rig/compose-lane.ts'
import { farServices, sharedDocker } from '../rig/docker.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

const workflow = `name: Unified
on: { push: { tags: ['v*'] } }
jobs:
  test: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  staging: { needs: test, runs-on: ubuntu-latest, environment: staging, steps: [{ uses: shipway/deploy@v1 }] }
  production: { needs: staging, runs-on: ubuntu-latest, environment: production, steps: [{ uses: shipway/deploy@v1 }] }
`

const missing = await requireSystem(farServices)

describe.skipIf(missing !== undefined)(`from staging to production ${missing ?? ''}`, () => {
  const root = mkdtempSync(path.join(tmpdir(), 'shipway-unified-'))
  const repository = new Repository()
  let sshd: SshServer
  let staging: ComposeLane
  let production: ComposeLane
  let attempts = 0

  beforeAll(async () => {
    const docker = await sharedDocker()
    if ('missing' in docker) throw new Error(docker.missing)
    sshd = await startSshd()
    staging = await ComposeLane.open({ root, docker, sshd }, 'staging', 'in place')
    production = await ComposeLane.open({ root, docker, sshd }, 'production', 'in place')
  })
  afterAll(async () => {
    await production[Symbol.asyncDispose]()
    await staging[Symbol.asyncDispose]()
    await sshd[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
    rmSync(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })

  /** Commits a version whose service answers with `says`. */
  function commit(version: string, says: string): void {
    repository.commit(
      {
        ...laneFiles,
        '.github/workflows/ci.yml': workflow,
        'shipway.yml': `name: web
release: { files: [compose.yaml, server.js, restart.sh, version.txt] }
environments:
${staging.rules(sshd, says === version ? '60s' : '3s')}${production.rules(sshd, '60s', '    after: [staging]\n')}`,
        'version.txt': says,
      },
      version,
    )
    repository.git('tag', version)
  }

  test(
    'a release that staging answers well for is in production, one that it does not answer for goes back, and production is not touched',
    { tags: ['slow'] },
    async () => {
      // A second try begins with versions and a home of its own.
      attempts += 1
      const [good, bad] = [`v${attempts}.0.0`, `v${attempts}.1.0`]
      await using shipway = new Shipway(path.join(root, `home${attempts}`))
      commit(good, good)
      expect(await shipway.call(repository.root, 'run', 'push', '--ref', good)).toMatchObject({ status: 0 })
      expect([await staging.serving(), await production.serving()]).toEqual([good, good])
      const before = await production.containers()

      // Its container is well; what it says over HTTP is not.
      commit(bad, 'nothing that was asked for')
      const run = await shipway.call(repository.root, 'run', 'push', '--ref', bad)

      expect(run.status, run.stdout + run.stderr).toBe(1)
      expect(run.stdout + run.stderr).toContain('was not healthy within 3s')
      expect(run.stdout + run.stderr).toContain(`${bad} → staging: reverted`)
      expect(await staging.serving()).toBe(good)
      const refused = await shipway.call(repository.root, 'deploy', 'production', '--release', bad, '--yes')
      expect(refused.status, refused.stdout + refused.stderr).toBe(3)
      expect([await production.serving(), await production.containers()]).toEqual([good, before])
      await staging.closed()
      await production.closed()
    },
  )
})
