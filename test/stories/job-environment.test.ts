import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const project = `name: shop
environments:
  production:
    driver: directory
    targets: [./place]
    approvals: { count: 1 }
    variables: { COLOR: blue }
`

const workflow = `name: CI
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo "build sees \${{ vars.COLOR }} and \${{ vars.SIZE }}, token \${{ secrets.TOKEN == 'of-production' }}"
  ship:
    needs: build
    runs-on: ubuntu-latest
    environment: { name: production, url: 'https://\${{ steps.s.outputs.host }}/shop' }
    steps:
      - id: s
        run: echo "ship sees \${{ vars.COLOR }} and \${{ vars.SIZE }}, token \${{ secrets.TOKEN == 'of-production' }}"; echo host=shop.example >> "$GITHUB_OUTPUT"
  leak:
    needs: ship
    runs-on: ubuntu-latest
    environment: { name: production, url: 'https://\${{ steps.t.outputs.host }}/' }
    steps: [{ id: t, env: { T: '\${{ secrets.TOKEN }}' }, run: 'echo "host=$T" >> "$GITHUB_OUTPUT"' }]
`

test(
  'A job with an environment waits for its approval, sees the values of the environment then and only then, and says its address in the end',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ 'shipway.yml': project, '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    const folder = path.join(shipway.home, 'secrets', 'shop')
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(path.join(folder, 'production.json'), '{"TOKEN":"of-production"}', { mode: 0o600 })
    Object.assign(shipway.env, { TOKEN: 'of-the-repository' })
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)

    const waiting = await call('run', 'push', '--var', 'color=red', '--var', 'SIZE=small', '--secret', 'TOKEN')
    expect(waiting).toMatchObject({
      status: 8,
      stdout: expect.stringContaining('build sees red and small, token false'),
    })
    expect(waiting.stdout).not.toContain('ship sees')
    expect((await call('ps')).stdout).toMatch(/waiting.*approv/i)

    const approved = await call('approve', '1')
    expect(approved.stderr + approved.stdout).toContain('ship sees blue and small, token true')
    const logs = await call('logs', '1', '--job', 'leak')
    expect(logs.stdout).toContain("Skip setting environment url as environment 'url' may contain secret.")
    // The approval was for the first attempt.
    const again = await call('rerun', '1', '--job', 'leak', '--secret', 'TOKEN', '--json')
    expect(again).toMatchObject({ status: 8, stderr: expect.stringContaining('production needs 1 approval') })
    const document = JSON.parse(again.stdout) as {
      jobs: { key: string; environmentUrl: string | null }[]
    }
    const urls = Object.fromEntries(document.jobs.map(({ key, environmentUrl }) => [key, environmentUrl]))
    expect(urls).toEqual({ build: null, ship: 'https://shop.example/shop', leak: null })
    expect((await call('approve', '1')).status).toBe(0)
    expect((await call('ps')).stdout).toContain('success')
  },
)

const gatedWorkflow = `name: CI
on: push
jobs:
  ship:
    runs-on: ubuntu-latest
    environment: production
    steps: [{ run: echo shipped }]
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/upload-artifact@v4
        with: { name: reports, path: junit.xml }
`
const junit = (inner: string) =>
  `<testsuites><testsuite name="s"><testcase name="adds">${inner}</testcase></testsuite></testsuites>`

test(
  'A job with an environment waits for the tests beside it, and passes only the gates that they open',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({
      'shipway.yml': 'name: shop\nenvironments: { production: { targets: [./place], gates: { tests: 1 } } }\n',
      '.github/workflows/ci.yml': gatedWorkflow,
      'junit.xml': junit(''),
    })
    await using shipway = new Shipway()
    const green = await shipway.call(repository.root, 'run', 'push')
    expect(green.stdout).toContain('shipped')
    expect(green.status).toBe(0)

    repository.commit({ 'junit.xml': junit('<failure message="no"/>') })
    const red = await shipway.call(repository.root, 'run', 'push')
    expect(red.status).toBe(1)
    expect(red.stdout).not.toContain('shipped')
    expect(red.stderr + red.stdout).toContain('1 test of 1 failed')
  },
)
