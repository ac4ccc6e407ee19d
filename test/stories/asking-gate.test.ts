import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { startReviewForge } from '../rig/review-forge.ts'
import { Shipway } from '../rig/shipway.ts'
import { startSonarQube } from '../rig/sonarqube.ts'

const workflow = `name: CI
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: mkdir -p sonar && cp report-task.txt sonar/ || true
      - uses: actions/upload-artifact@v4
        with: { name: sonar, path: sonar, if-no-files-found: ignore }
`

function secrets(shipway: Shipway, values: Readonly<Record<string, string>>): void {
  mkdirSync(path.join(shipway.home, 'secrets/shop'), { recursive: true, mode: 0o700 })
  writeFileSync(path.join(shipway.home, 'secrets/shop/production.json'), JSON.stringify(values), { mode: 0o600 })
}

/** Everything that the home keeps, but for the secrets: no token may be in it. */
function isKeptAnywhere(shipway: Shipway, text: string): boolean {
  try {
    execFileSync('grep', ['-rqF', '--exclude-dir=secrets', text, shipway.home])
    return true
  } catch {
    return false
  }
}

const rules = (gates: string) => `name: shop
release: { files: [app.txt] }
environments:
  production: { targets: [./targets/production], gates: ${gates} }
`

describe('a gate that asks SonarQube', { tags: ['slow'] }, () => {
  test('lets pass what its analysis proves, refuses the rest with the figures, and keeps the answer with the release', async () => {
    using repository = new Repository()
    await using shipway = new Shipway()
    await using sonar = await startSonarQube()
    const { root } = repository
    secrets(shipway, { SONAR_TOKEN: sonar.token })
    const config = rules(`{ sonarqube: { url: '${sonar.url}', project: shop, token: SONAR_TOKEN, within: 30s } }`)
    const build = async (files: Readonly<Record<string, string>>) => {
      const sha = repository.commit({ '.github/workflows/ci.yml': workflow, 'shipway.yml': config, ...files })
      expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
      return sha
    }
    const deploy = async () => shipway.call(root, 'deploy', 'production', '--yes')

    const first = await build({ 'app.txt': 'one' })
    const missing = await deploy()
    expect(missing.status).toBe(3)
    expect(missing.stdout).toMatch(/SonarQube has no analysis of [0-9a-f]{12} in shop on the branch main/)
    expect(missing.stdout).toContain('ANALYSIS_MISSING')

    sonar.analyses.unshift({ key: 'A1', revision: first, status: 'ERROR' })
    // Whoever plans it is told the same, and nothing is kept of it.
    const plan = async () => {
      const { stdout, status } = await shipway.call(root, 'plan-deploy', 'production')
      return { stdout, status, hash: /^ +plan +([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? 'none' }
    }
    const planned = await plan()
    expect(planned.status).toBe(3)
    expect(planned.stdout).toContain('evidence   ✗ sonarqube: The quality gate of shop is red: new_coverage is 82.5')
    const red = await deploy()
    expect(red.status).toBe(3)
    expect(red.stdout).toContain('The quality gate of shop is red: new_coverage is 82.5 (red when < 85).')
    const [deployment = ''] = /dep_\w+/.exec(red.stdout) ?? []
    expect((await shipway.call(root, 'why', deployment)).stdout).toContain(`${sonar.url}/dashboard?id=shop`)

    // Its answer is no part of the plan, nor is that it gives none.
    sonar.failing = 503
    const unanswered = await plan()
    expect(unanswered).toMatchObject({ status: 8, hash: planned.hash })
    expect(unanswered.stdout).toMatch(/evidence {3}⏳ sonarqube: .*status 503.* A deployment asks again\./)
    sonar.failing = undefined
    sonar.analyses[0]!.status = 'OK'
    const green = await plan()
    expect(green).toMatchObject({ status: 0, hash: planned.hash })
    expect(green.stdout).toContain('evidence   ✓ sonarqube: The quality gate of shop is green.')
    expect((await deploy()).status).toBe(0)
    expect((await plan()).hash).not.toBe(planned.hash)
    const shown = await shipway.call(root, 'release', 'show', 'latest')
    expect(shown.stdout).toMatch(/answer .* sonarqube for production: OK, analysis A1: new_coverage 91\.2/)

    // A task that the run has handed in is waited for, and its own analysis counts, not the latest of the branch.
    sonar.tasks.push({ id: 'T2', status: 'PENDING', analysis: 'A2', branch: 'main' })
    const second = await build({
      'app.txt': 'two',
      'report-task.txt': 'projectKey=shop\nserverUrl=http\\://127.0.0.1\\:1\nceTaskId=T2\n',
    })
    const waiting = shipway.start(root, 'deploy', 'production', '--yes')
    await waiting.prints(/SonarQube has not finished the analysis \(task T2 is PENDING\)/)
    sonar.analyses.unshift({ key: 'A2', revision: second, status: 'OK' })
    sonar.tasks[0]!.status = 'SUCCESS'
    expect((await waiting.ended).status).toBe(0)

    sonar.failing = 503
    await build({ 'app.txt': 'three' })
    const down = await deploy()
    expect(down.status).toBe(3)
    expect(down.stdout).toContain('SONARQUBE_UNREACHABLE')
    expect(down.stdout).toContain('status 503')
    const back = await shipway.call(root, 'rollback', 'production', '--yes')
    expect(back.status).toBe(0)
    expect(isKeptAnywhere(shipway, sonar.token)).toBe(false)
    expect([missing, red, down, shown].some(({ stdout, stderr }) => (stdout + stderr).includes(sonar.token))).toBe(
      false,
    )
  })

  test('asks for a job that names the environment, too, and is red without its token', async () => {
    using repository = new Repository()
    await using shipway = new Shipway()
    await using sonar = await startSonarQube()
    const { root } = repository
    const job = `${workflow}  live:
    needs: build
    runs-on: ubuntu-latest
    environment: production
    steps: [{ run: 'echo it-is-live' }]
`
    const sha = repository.commit({
      '.github/workflows/ci.yml': job,
      'app.txt': 'one',
      'shipway.yml': rules(`{ sonarqube: { url: '${sonar.url}', project: shop, token: SONAR_TOKEN } }`),
    })
    const without = await shipway.call(root, 'run', 'push')
    expect(without.status).not.toBe(0)
    expect(without.stdout + without.stderr).toContain('The secret SONAR_TOKEN with the token of the gate "sonarqube"')

    secrets(shipway, { SONAR_TOKEN: sonar.token })
    sonar.analyses.push({ key: 'A1', revision: sha, status: 'OK' })
    const again = await shipway.call(root, 'rerun', 'latest', '--failed')
    expect(again.status).toBe(0)
    expect(again.stdout + again.stderr).toContain('it-is-live')
  })
})

describe('a gate that asks the forge for reviews', { tags: ['slow'] }, () => {
  test('lets only an approved pull request come, and says who is missing', async () => {
    using repository = new Repository()
    await using shipway = new Shipway()
    await using forge = await startReviewForge('github')
    const { root } = repository
    secrets(shipway, { FORGE_TOKEN: forge.token })
    const place = `forge: github, url: '${forge.url}', repository: acme/shop, token: FORGE_TOKEN`
    const sha = repository.commit({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': rules(`{ review: { ${place}, approvals: 1 } }`),
      'app.txt': 'one',
    })
    expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
    const deploy = async () => shipway.call(root, 'deploy', 'production', '--yes')

    // Planned by somebody without the token: it cannot be asked, and that is said.
    secrets(shipway, {})
    const blind = await shipway.call(root, 'deploy', 'production', '--dry-run')
    expect(blind.status).toBe(3)
    expect(blind.stdout).toContain('✗ review: The secret FORGE_TOKEN with the token of the gate "review" is not there.')
    secrets(shipway, { FORGE_TOKEN: forge.token })

    const alone = await deploy()
    expect(alone.status).toBe(3)
    expect(alone.stdout).toMatch(/review: No pull request of acme\/shop brings [0-9a-f]{12}\./)

    const head = 'b'.repeat(40)
    const own = { by: 'ann', says: 'approved', commit: head } as const
    forge.pulls.push({ number: 7, author: 'ann', base: 'main', branch: 'x', head, merge: sha, reviews: [own] })
    const byAuthor = await deploy()
    expect(byAuthor.status).toBe(3)
    expect(byAuthor.stdout).toContain('#7 has no approval of 1 that are needed (not counted: ann is its author)')

    forge.pulls[0]!.reviews.push({ by: 'bo', says: 'approved', commit: head })
    expect((await deploy()).status).toBe(0)
    const shown = await shipway.call(root, 'release', 'show', 'latest')
    expect(shown.stdout).toMatch(
      /answer .* review for production: request 7 of ann into main: ann approved, bo approved/,
    )
    expect(isKeptAnywhere(shipway, forge.token)).toBe(false)
  })
})
