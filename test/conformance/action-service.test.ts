import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { RunnerRig, printed } from '../rig/runner.ts'
import type { EndedJob, TestStep } from '../rig/runner.ts'

// Actions as people have them: a JavaScript file that brings GitHub's client along, started by the runner with what it is given.

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

const modules = join(import.meta.dirname, '../../node_modules')

function moduleUrl(name: string): string {
  return pathToFileURL(join(modules, name)).href
}

/** Steps that put a local action into the workspace and use it. */
function action(name: string, script: string, post = ''): readonly TestStep[] {
  const folder = join(rig.root, 'actions', name)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'main.mjs'), script)
  writeFileSync(join(folder, 'post.mjs'), post)
  const runs = `runs:\n  using: node20\n  main: main.mjs\n${post === '' ? '' : '  post: post.mjs\n'}`
  writeFileSync(join(folder, 'action.yml'), `name: ${name}\ndescription: ${name}\n${runs}`)
  return [{ run: `mkdir -p use && cp -r '${folder}' use/` }, { uses: `./use/${name}` }]
}

const github = { repository: 'acme/app', ref: 'refs/heads/main', server_url: 'https://github.com' }
const run = (steps: readonly TestStep[]): Promise<EndedJob> => rig.run({ steps, github })

test('an action uploads an artifact and saves a cache, and built-in actions of the job find both', async () => {
  const script = `
    import { writeFileSync, mkdirSync } from 'node:fs'
    import { DefaultArtifactClient } from '${moduleUrl('@actions/artifact/lib/artifact.js')}'
    import { saveCache } from '${moduleUrl('@actions/cache/lib/cache.js')}'
    mkdirSync('out'); writeFileSync('out/file', 'from an action')
    await new DefaultArtifactClient().uploadArtifact('made', ['out/file'], 'out')
    await saveCache(['out'], 'made-1')`
  const job = await run([
    ...action('maker', script),
    { run: 'rm -r out' },
    { uses: 'actions/download-artifact@v4', with: { name: 'made', path: 'got' } },
    { uses: 'actions/cache/restore@v4', with: { key: 'made-', path: 'out' } },
    { run: 'echo; cat got/file; echo; cat out/file; echo' },
  ])
  expect(job.result).toMatchObject({ conclusion: 'success' })
  expect(printed(job).slice(-3)).toEqual(['', 'from an action', 'from an action'])
})

test('variables and token are for actions, also in their post stage, and the token never shows in the log', async () => {
  const script = `
    for (const name of ['RUNTIME_URL', 'RESULTS_URL', 'CACHE_URL', 'CACHE_SERVICE_V2', 'RUNTIME_TOKEN'])
      console.log(name, process.env['ACTIONS_' + name] === undefined ? 'missing' : 'given')
    console.log('token=' + process.env.ACTIONS_RUNTIME_TOKEN)`
  const post = `
    const response = await fetch(new URL('/twirp/github.actions.results.api.v1.ArtifactService/Unknown', process.env.ACTIONS_RESULTS_URL), {
      method: 'POST', headers: { Authorization: 'Bearer ' + process.env.ACTIONS_RUNTIME_TOKEN }, body: '{}' })
    console.log('post', response.status)`
  const job = await run([...action('looker', script, post), { run: 'env | grep -c ^ACTIONS_ || true' }])
  expect(printed(job)).toEqual([
    'RUNTIME_URL given',
    'RESULTS_URL given',
    'CACHE_URL given',
    'CACHE_SERVICE_V2 given',
    'RUNTIME_TOKEN given',
    'token=***',
    '0',
    'post 404',
  ])
})

test('the service of a job is gone when the job has ended', async () => {
  const job = await run(action('printer', `console.log(process.env.ACTIONS_RESULTS_URL)`))
  await expect(fetch(printed(job)[0] ?? '')).rejects.toThrow('fetch failed')
})
