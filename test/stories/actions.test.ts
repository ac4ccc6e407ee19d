import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { coreScript } from '../rig/action-script.ts'

let remotes: string
beforeEach(() => {
  remotes = mkdtempSync(path.join(tmpdir(), 'shipway-remotes-'))
})
afterEach(() => rmSync(remotes, { recursive: true }))

/** What actions are made of on GitHub: a bundle in one file, its metadata, a tag. */
function greeter(word: string): Readonly<Record<string, string>> {
  return {
    'action.yml': `
name: Greeter
description: Greets, and says good-bye at the end of the job
inputs:
  who-to-greet: { description: Who, required: true, default: World }
outputs:
  time: { description: When }
runs: { using: node20, main: dist/index.js, post: dist/index.js, post-if: success() }
`,
    'dist/index.js': coreScript(`
      if (core.getState('isPost') === 'true') {
        core.info('good-bye ' + core.getState('who'))
      } else {
        core.saveState('isPost', 'true')
        core.saveState('who', core.getInput('who-to-greet'))
        core.startGroup('Greeting')
        core.info('${word} ' + core.getInput('who-to-greet', { required: true }))
        core.endGroup()
        core.setOutput('time', 'noon')
        core.exportVariable('GREETED', core.getInput('who-to-greet'))
        core.summary('## Greeted ' + core.getInput('who-to-greet'))
        core.warning('mind the gap', { file: 'a.txt', startLine: 1 })
      }
    `),
  }
}

const workflow = (ref: string): string => `
on: push
jobs:
  greet:
    runs-on: ubuntu-latest
    outputs: { time: '\${{ steps.greet.outputs.time }}' }
    steps:
      - uses: actions/checkout@v4
      - { id: greet, uses: 'acme/greeter@${ref}', with: { who-to-greet: Mona } }
      - run: echo "$GREETED at \${{ steps.greet.outputs.time }}"
`

interface RunDocument {
  readonly conclusion: string
  readonly jobs: readonly {
    readonly outputs: unknown
    readonly steps: readonly { readonly name: string; readonly conclusion: string }[]
  }[]
  readonly annotations: readonly { readonly message: string }[]
}

describe('an action of another repository', () => {
  test('is fetched, pinned by `actions update`, runs offline, and does not follow a tag that was moved', async () => {
    using upstream = new Repository(greeter('hello'))
    upstream.git('tag', 'v1')
    using base = linkedAs(upstream, 'acme/greeter')
    using project = new Repository({ '.github/workflows/ci.yml': workflow('v1'), 'a.txt': 'a' })
    await using shipway = new Shipway()
    shipway.env['SHIPWAY_ACTIONS_URL'] = pathToFileURL(base.root).href

    const pinned = await shipway.call(project.root, 'actions', 'update')
    expect(pinned).toMatchObject({ status: 0, stdout: expect.stringContaining('acme/greeter@v1') })
    const lock = readFileSync(path.join(project.root, '.shipway/actions.lock'), 'utf8')
    expect(lock).toContain(upstream.git('rev-parse', 'HEAD'))
    project.commit({}, 'Pin the actions')

    shipway.env['SHIPWAY_ACTIONS_URL'] = 'off'
    const run = await shipway.call(project.root, 'run', 'push', '--json')
    expect(run.status).toBe(0)
    const document = JSON.parse(run.stdout) as RunDocument
    expect(document.jobs[0]?.outputs).toEqual({ time: 'noon' })
    expect(document.jobs[0]?.steps.map(({ name, conclusion }) => `${name}: ${conclusion}`)).toEqual([
      'Run actions/checkout@v4: success',
      'Run acme/greeter@v1: success',
      'Run echo "$GREETED at noon": success',
      'Post Run acme/greeter@v1: success',
    ])
    expect(document.annotations).toMatchObject([{ level: 'warning', message: 'mind the gap', file: 'a.txt', line: 1 }])
    expect(run.stderr).toContain('hello Mona')
    expect(run.stderr).toContain('Mona at noon')
    expect(run.stderr).toContain('good-bye Mona')

    upstream.commit(greeter('evil'))
    upstream.git('tag', '--force', 'v1')
    await using fresh = new Shipway()
    fresh.env['SHIPWAY_ACTIONS_URL'] = pathToFileURL(base.root).href
    const moved = await fresh.call(project.root, 'run', 'push')
    expect(moved.status).toBe(1)
    expect(moved.stdout + moved.stderr).toMatch(/"acme\/greeter@v1" was .* when it was accepted, and is /)
    expect(moved.stdout + moved.stderr).toContain('shipway actions update acme/greeter@v1')

    const accepted = await fresh.call(project.root, 'actions', 'update', 'acme/greeter@v1')
    expect(accepted.stdout).toContain('(was ')
    project.commit({}, 'Accept the new tag')
    const after = await fresh.call(project.root, 'run', 'push')
    expect(after).toMatchObject({ status: 0 })
    expect(after.stdout + after.stderr).toContain('evil Mona')
  })

  test('comes from a folder with `actions add`, is listed, verified and removed', async () => {
    using folder = new Repository()
    folder.write(greeter('hi'))
    rmSync(path.join(folder.root, '.git'), { recursive: true })
    using project = new Repository({ '.github/workflows/ci.yml': workflow('main'), 'a.txt': 'a' })
    await using shipway = new Shipway()

    const missing = await shipway.call(project.root, 'run', 'push')
    expect(missing.status).toBe(1)
    expect(missing.stdout + missing.stderr).toContain('shipway actions add <git-url-or-folder> acme/greeter@main')
    expect(await shipway.call(project.root, 'actions', 'add', folder.root, 'acme/greeter@main')).toMatchObject({
      status: 0,
    })
    expect(existsSync(path.join(project.root, '.shipway/actions.lock'))).toBe(true)
    const run = await shipway.call(project.root, 'run', 'push')
    expect(run).toMatchObject({ status: 0 })
    expect(run.stdout + run.stderr).toContain('hi Mona')
    const list = await shipway.call(project.root, 'actions', 'list', '--json')
    expect(JSON.parse(list.stdout)).toMatchObject({
      kind: 'ActionList',
      items: [{ repository: 'acme/greeter', ref: 'main', pinned: expect.stringMatching(/^[0-9a-f]{40}$/) }],
    })
    expect(await shipway.call(project.root, 'actions', 'verify')).toMatchObject({ status: 0 })
    expect(await shipway.call(project.root, 'actions', 'remove', 'acme/greeter')).toMatchObject({ status: 0 })
    expect(readFileSync(path.join(project.root, '.shipway/actions.lock'), 'utf8')).toContain('"actions": {}')
    const short = await shipway.call(project.root, 'actions', 'add', folder.root, 'acme/greeter@abcdef1')
    expect(short).toMatchObject({ status: 2, stderr: expect.stringContaining('Shortened commit ids are refused') })
  })
})

test('composite actions of other repositories nest, with pre and post stages of what they use and a built-in action inside', async () => {
  using teller = new Repository({
    'action.yml': 'name: T\ninputs: { word: {} }\nruns: { using: node20, pre: t.js, main: t.js, post: t.js }\n',
    't.js': coreScript(`
      const stage = core.getState('stage')
      core.info((stage === '' ? 'first ' : stage) + core.getInput('word'))
      core.saveState('stage', stage === '' ? 'second ' : 'third ')
    `),
  })
  teller.git('tag', 'v1')
  using outer = new Repository({
    'tools/both/action.yml': `
name: Both
outputs: { node: { value: '\${{ steps.node.outputs.node-version }}' } }
runs:
  using: composite
  steps:
    - { uses: acme/teller@v1, with: { word: one } }
    - { id: node, uses: actions/setup-node@v4 }
    - { uses: acme/teller@v1, with: { word: two } }
`,
  })
  outer.git('tag', 'v2')
  using base = linkedAs(outer, 'acme/outer')
  base.link('acme/teller', teller.root)
  using project = new Repository({
    '.github/workflows/ci.yml': `
on: push
jobs:
  both:
    runs-on: ubuntu-latest
    steps:
      - { id: both, uses: acme/outer/tools/both@v2 }
      - run: test "$(node --version)" = "\${{ steps.both.outputs.node }}" && echo between
`,
  })
  await using shipway = new Shipway()
  shipway.env['SHIPWAY_ACTIONS_URL'] = pathToFileURL(base.root).href

  const pinned = await shipway.call(project.root, 'actions', 'update', '--json')
  expect(
    (JSON.parse(pinned.stdout) as { items: { repository: string }[] }).items.map((item) => item.repository),
  ).toEqual(['acme/outer', 'acme/teller'])
  const run = await shipway.call(project.root, 'run', 'push')
  expect(run.status).toBe(0)
  const said = (run.stdout + run.stderr)
    .split('\n')
    .flatMap((line) => /│ ((?:first|second|third|between).*)$/.exec(line)?.[1] ?? [])
  expect(said).toEqual(['first one', 'first two', 'second one', 'second two', 'between', 'third two', 'third one'])
})

/** A folder in which the repository has another name, as below a base url. */
function linkedAs(repository: Repository, name: string): Repository {
  const base = new Repository()
  base.write({ [`${path.dirname(name)}/.keep`]: '' })
  base.link(name, repository.root)
  return base
}
