import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const rules = `name: shop
release: { artifact: dist }
environments: { production: { from: ['v*.*.*'], auto: true, targets: [./targets/production] } }
`
/** What it builds is never the same twice. */
const workflow = (artifact: string) => `on: { push: { tags: ['v*.*.*'] } }
jobs:
  check: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  build:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir dist && echo "$GITHUB_REF_NAME, build $GITHUB_RUN_NUMBER" > dist/build.txt
      - { uses: actions/upload-artifact@v4, with: { name: ${artifact}, path: dist } }
`

test(
  'pushing an old tag again brings back what was sealed of it, a tag that has moved is refused before anything starts, and no tag ends green without its release',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({ 'shipway.yml': rules, '.github/workflows/ci.yml': workflow('dist') })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    const serving = () =>
      readFileSync(path.join(repository.root, 'targets/production/current/build.txt'), 'utf8').trim()
    repository.git('tag', 'v1.0.0')
    expect((await call('run', '--ref', 'v1.0.0')).status).toBe(0)
    const first = repository.commit({ 'two.txt': 'two\n' })
    repository.git('tag', 'v1.0.1')
    expect((await call('run', '--ref', 'v1.0.1')).status).toBe(0)
    expect(serving()).toBe('v1.0.1, build 2')

    const again = await call('run', '--ref', 'v1.0.0')
    expect(again).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('v1.0.0 was sealed from this commit before'),
    })
    expect(serving()).toBe('v1.0.0, build 1')

    const moved = repository.commit({ '.github/workflows/ci.yml': workflow('other') })
    repository.git('tag', '--force', 'v1.0.1')
    const refused = await call('run', '--ref', 'v1.0.1', '--json')
    expect(refused.status).toBe(3)
    expect(JSON.parse(refused.stdout)).toMatchObject({
      error: {
        code: 'RELEASE_VERSION_TAKEN',
        message: expect.stringContaining(
          `sealed from ${first.slice(0, 7)}, and the tag is at ${moved.slice(0, 7)} now`,
        ),
        fix: expect.stringContaining('Tag the commit with a new version'),
      },
    })
    expect((await call('run', '--ref', 'v1.0.1', '--job', 'check')).status).toBe(0)

    repository.git('tag', 'v1.0.2')
    const unreleased = await call('run', '--ref', 'v1.0.2', '--no-logs')
    expect(unreleased).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/✗ v1\.0\.2 was tagged and is not released: .*"dist"[^]*fix: /),
    })
    const why = JSON.parse((await call('why', 'latest', '--json')).stdout) as unknown
    expect(why).toMatchObject({ items: [{ state: 'red', rule: 'RELEASE_ARTIFACT_MISSING' }] })
    expect(serving()).toBe('v1.0.0, build 1')
  },
)

test(
  'a green run whose release is refused where it goes by itself ends red, with what to do',
  { tags: ['slow'] },
  async () => {
    using repository = new Repository({
      'shipway.yml':
        'name: shop\nenvironments: { live: { auto: true, targets: [./targets/live], gates: { tests: 1 } } }\n',
      '.github/workflows/ci.yml': "on: push\njobs: { a: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }\n",
    })
    await using shipway = new Shipway()

    expect(await shipway.call(repository.root, 'run', '--no-logs')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/✗ live does not take it: .*tests: [^]*fix: .*"environments\.live\.gates"/),
    })
  },
)

test(
  'staging from main, production from tags: a tag means what staging has run of its commit, as long as it is the same',
  { tags: ['slow'] },
  async () => {
    const staged = `name: shop
release: { artifact: dist }
environments:
  staging: { from: [main], auto: true, targets: [./targets/staging] }
  production: { from: ['v*.*.*'], after: [staging], soak: 1s, auto: true, targets: [./targets/production] }
`
    const build = (says: string) => `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir dist && echo "${says}" > dist/build.txt
      - { uses: actions/upload-artifact@v4, with: { name: dist, path: dist } }
`
    using repository = new Repository({
      'shipway.yml': staged,
      '.github/workflows/ci.yml': build('one'),
      '.gitignore': 'targets\n',
    })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    const serving = (name: string) =>
      readFileSync(path.join(repository.root, 'targets', name, 'current/build.txt'), 'utf8').trim()
    repository.git('tag', 'v1.0.0')
    expect(await call('run', '--ref', 'v1.0.0')).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('staging has not: it has not run v1.0.0 with success'),
    })

    expect((await call('run', '--ref', 'main')).status).toBe(0)
    expect(serving('staging')).toBe('one')
    const passed = await call('deploy', 'production', 'v1.0.0', '--yes', '--wait')
    expect(passed.status, passed.stdout + passed.stderr).toBe(0)
    expect(serving('production')).toBe('one')

    repository.commit({ '.github/workflows/ci.yml': build('$GITHUB_REF_NAME') })
    repository.git('tag', 'v1.1.0')
    expect((await call('run', '--ref', 'main')).status).toBe(0)
    const other = await call('run', '--ref', 'v1.1.0')
    expect(other).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(
        /staging has not: .*; v\d+-\d+(?:-\d+)? of the same commit ran there, with another content \(`shipway release compare/,
      ),
    })
    expect(serving('production')).toBe('one')
  },
)
