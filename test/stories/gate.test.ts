import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

/** Uploads whatever lies in `reports/` of the commit, as test and scan steps would. */
const workflow = `name: CI
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/upload-artifact@v4
        with: { name: reports, path: reports }
  staging:
    needs: test
    runs-on: ubuntu-latest
    steps: [{ uses: shipway/deploy@v1, with: { environment: staging } }]
`

const rules = (gates: string, more = '') => `name: shop
release: { files: [app.txt] }
${more}
environments:
  staging: { targets: [./targets/staging] }
  production:
    targets: [./targets/production]
    after: [staging]
    gates: ${gates}
`

const junit = (inner: string) => `<testsuites><testsuite name="math">${inner}</testsuite></testsuites>`
const green = junit('<testcase name="adds"/><testcase name="divides"/>')
const lcov = (hits: readonly number[]) =>
  `SF:app.txt\n${hits.map((count, index) => `DA:${index + 1},${count}\n`).join('')}end_of_record\n`
const trivy = (severity: string) =>
  JSON.stringify({
    SchemaVersion: 2,
    ArtifactName: 'shop',
    Metadata: {},
    Results: [
      {
        Target: 'package-lock.json',
        Vulnerabilities: [
          {
            VulnerabilityID: 'CVE-2026-7',
            PkgName: 'left',
            InstalledVersion: '1.0.0',
            FixedVersion: '1.0.1',
            Severity: severity,
          },
        ],
      },
    ],
  })

describe('gates of production', { tags: ['slow'] }, () => {
  test('let pass what the reports of the run prove, and refuse the rest with figures, before anything is touched', async () => {
    using repository = new Repository()
    await using shipway = new Shipway()
    const { root } = repository
    const release = async (files: Readonly<Record<string, string>>) => {
      repository.commit({ '.github/workflows/ci.yml': workflow, 'app.txt': 'one\ntwo\n', ...files })
      const run = await shipway.call(root, 'run', 'push')
      expect(run.status).toBe(0)
      return shipway.call(root, 'promote', 'production', '--yes')
    }
    const gates = rules('{ tests: 2, coverage: { lines: 80, drop: 5 }, vulnerabilities: {} }')

    const passed = await release({
      'shipway.yml': gates,
      'reports/junit.xml': green,
      'reports/lcov.info': lcov([1, 1, 1, 1, 0]),
      'reports/trivy.json': trivy('LOW'),
    })
    expect(passed.status).toBe(0)
    const shown = await shipway.call(root, 'release', 'show', 'latest')
    expect(shown.stdout).toMatch(/reports\/junit\.xml: 2 tests, 0 red/)
    expect(shown.stdout).toMatch(/reports\/lcov\.info: lines 80\.0 %/)
    expect(shown.stdout).toMatch(/reports\/trivy\.json: Trivy: 1 low/)

    const uncovered = await release({ 'reports/lcov.info': lcov([1, 1, 1, 0, 0]) })
    expect(uncovered.status).toBe(3)
    expect(uncovered.stderr).toMatch(/coverage: Line coverage is 60 %, below 80 %; line coverage fell by 20\.0 points/)

    const failing = await release({
      'reports/lcov.info': lcov([1, 1, 1, 1, 1]),
      'reports/junit.xml': junit('<testcase name="adds"><failure message="2 is not 3"/></testcase>'),
    })
    expect(failing.status).toBe(3)
    expect(failing.stderr).toMatch(/tests: 1 test of 1 failed, the first: math > adds: 2 is not 3/)

    const cutOff = await release({ 'reports/junit.xml': green.slice(0, -4) })
    expect(cutOff.status).toBe(3)
    expect(cutOff.stderr).toMatch(/reports\/junit\.xml cannot be read: not well-formed XML/)

    const unsafe = await release({ 'reports/junit.xml': green, 'reports/trivy.json': trivy('HIGH') })
    expect(unsafe.status).toBe(3)
    expect(unsafe.stderr).toMatch(/1 high; the first is CVE-2026-7 in left 1\.0\.0 \(fixed in 1\.0\.1\)/)
    const dry = await shipway.call(root, 'promote', 'production', '--dry-run')
    expect(dry.status).toBe(3)
    expect(dry.stdout + dry.stderr).toContain('CVE-2026-7')
    const planned = await shipway.call(root, 'plan-deploy', 'production', '--promote')
    expect(planned.status).toBe(3)
    expect(planned.stdout).toMatch(
      /evidence {3}✓ tests: .*\n {2}evidence {3}✓ coverage: .*\n {2}evidence {3}✗ vulnerabilities: .*1 high/,
    )

    const waived = await release({
      'shipway.yml': gates.replace(
        'environments:',
        'waivers: [{ id: CVE-2026-7, reason: not reachable, expires: 2999-12-31 }]\nenvironments:',
      ),
    })
    expect(waived.status).toBe(0)
  })

  test('are not asked when production goes back to what it has run', async () => {
    using repository = new Repository()
    await using shipway = new Shipway()
    const { root } = repository
    const ship = async (text: string, gates: string) => {
      repository.commit({
        '.github/workflows/ci.yml': workflow,
        'app.txt': text,
        'reports/junit.xml': green,
        'shipway.yml': rules(gates),
      })
      expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
      return shipway.call(root, 'promote', 'production', '--yes')
    }
    expect((await ship('one', '{ tests: 1 }')).status).toBe(0)
    expect((await ship('two', '{ tests: 2 }')).status).toBe(0)
    expect((await ship('three', '{ tests: 3 }')).status).toBe(3)

    const back = await shipway.call(root, 'rollback', 'production', '--yes')
    expect(back.status).toBe(0)
  })
})
