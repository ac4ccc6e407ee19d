import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { RunnerRig, expr, messagesOf, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestStep } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

/** A job of a repository of its own: its caches are those of the test alone. */
function run(repository: string, steps: readonly TestStep[], ref = 'refs/heads/main'): Promise<EndedJob> {
  return rig.run({ steps, github: { repository, ref } })
}

const save = (key: string, more: Record<string, string> = {}): TestStep => ({
  uses: 'actions/cache/save@v4',
  with: { key, path: 'deps', ...more },
})
const restore = (key: string, more: Record<string, string> = {}): TestStep => ({
  uses: 'actions/cache/restore@v4',
  id: 'cache',
  with: { key, path: 'deps', ...more },
})
const outputs: TestStep = {
  run: expr(
    "format('echo hit={0} primary={1} matched={2}', steps.cache.outputs.cache-hit, steps.cache.outputs.cache-primary-key, steps.cache.outputs.cache-matched-key)",
  ),
}
const fill = (text: string): TestStep => ({
  run: `mkdir -p deps/sub; echo ${text} > deps/sub/file; ln -sf sub/file deps/link; chmod +x deps/sub/file`,
})

describe('actions/cache/save and actions/cache/restore', () => {
  test('bring files back into a later job, by key and by restore key', async () => {
    const saved = await run('acme/basic', [fill('kept'), save('npm-1')])
    const exact = await run('acme/basic', [
      restore('npm-1'),
      outputs,
      { run: 'cat deps/link; test -x deps/sub/file && echo executable' },
    ])
    const prefix = await run('acme/basic', [
      restore('npm-2', { 'restore-keys': 'yarn-\nnpm-\n' }),
      outputs,
      { run: 'cat deps/sub/file' },
    ])
    const miss = await run('acme/basic', [restore('other'), outputs, { run: 'ls' }])

    expect(saved.log).toContain('Cache saved with key: npm-1\n')
    expect(printed(exact)).toEqual(['hit=true primary=npm-1 matched=npm-1', 'kept', 'executable'])
    expect(printed(prefix)).toEqual(['hit=false primary=npm-2 matched=npm-1', 'kept'])
    expect(printed(miss)).toEqual(['hit= primary=other matched='])
    expect(miss.log).toContain('Cache not found for input keys: other\n')
  })

  test('look without restoring, and fail on a miss when asked', async () => {
    await run('acme/look', [fill('kept'), save('key')])
    const looked = await run('acme/look', [restore('key', { 'lookup-only': 'true' }), outputs, { run: 'ls' }])
    const missed = await run('acme/look', [restore('no', { 'fail-on-cache-miss': 'true' })])
    expect(printed(looked)).toEqual(['hit=true primary=key matched=key'])
    expect(missed.result.reason).toContain('Exiting as fail-on-cache-miss is set. Input key: no')
  })

  test('never change an entry, and do not fail the job for it', async () => {
    await run('acme/same', [fill('first'), save('key')])
    const second = await run('acme/same', [fill('second'), save('key')])
    const third = await run('acme/same', [restore('key'), { run: 'cat deps/sub/file' }])
    expect(second.result).toMatchObject({ conclusion: 'success', annotations: [] })
    expect(second.log).toContain('A cache entry with the key "key" exists already in refs/heads/main')
    expect(printed(third)).toEqual(['first'])
  })

  test('keep branches apart', async () => {
    await run('acme/branch', [fill('feature'), save('key')], 'refs/heads/feature')
    const main = await run('acme/branch', [restore('key'), outputs])
    await run('acme/branch', [fill('main'), save('key')])
    const other = await run('acme/branch', [restore('key'), { run: 'cat deps/sub/file' }], 'refs/heads/other')
    expect(printed(main)).toEqual(['hit= primary=key matched='])
    expect(printed(other)).toEqual(['main'])
  })

  test('take patterns, leave out what is excluded, and reach the home folder of the steps', async () => {
    const path = 'packages/*/deps\n!packages/b/deps\n~/tools'
    const make = 'mkdir -p packages/{a,b,c}/deps ~/tools; touch packages/{a,b,c}/{deps/in,out} ~/tools/made'
    await run('acme/glob', [{ run: make }, save('key', { path }), { run: 'rm ~/tools/made' }])
    const job = await run('acme/glob', [restore('key', { path }), { run: 'find . -type f | sort; ls ~/tools' }])
    expect(printed(job)).toEqual(['./packages/a/deps/in', './packages/c/deps/in', 'made'])
  })

  test('take names as they are: spaces, line ends, and a dash in front', async () => {
    const make = "mkdir deps; cd deps; touch -- '-C' 'a b' $'line\\nend' '--checkpoint-action=exec=sh'"
    await run('acme/names', [{ run: make }, save('key', { path: 'deps/*' })])
    const job = await run('acme/names', [restore('key', { path: 'deps/*' }), { run: 'ls -b deps | LC_ALL=C sort' }])
    expect(printed(job)).toEqual(['--checkpoint-action=exec=sh', '-C', String.raw`a\ b`, String.raw`line\nend`])
  })

  test.each([
    ['paths that do not exist', { path: 'none' }, 'Path Validation Error'],
    ['a key with a comma', { key: 'a,b' }, 'cannot contain commas'],
    ['a key that is too long', { key: 'x'.repeat(600) }, 'cannot be larger than 512 characters'],
  ])('warn about %s, and save nothing', async (_title, inputs, warning) => {
    const job = await run('acme/warn', [fill('x'), save('key', inputs)])
    expect(job.result.conclusion).toBe('success')
    expect(messagesOf(job.result.annotations, 'warning').join('\n')).toContain(warning)
  })

  test('refuse a key with a comma, no path, and more than ten keys', async () => {
    const bad = [restore('a,b'), restore('a', { path: ' ' }), restore('a', { 'restore-keys': 'k\n'.repeat(10) })]
    for (const step of bad) expect((await run('acme/bad', [step])).result.conclusion).toBe('failure')
  })

  test('go on without a cache whose archive is damaged', async () => {
    const saved = await run('acme/damaged', [
      fill('x'),
      save('key'),
      { run: 'find $SHIPWAY_HOME/cache -name "*.data"' },
    ])
    for (const path of printed(saved)) writeFileSync(path, 'garbage')
    const job = await run('acme/damaged', [restore('key'), outputs])
    expect(job.result.conclusion).toBe('success')
    expect(messagesOf(job.result.annotations, 'warning').join()).toContain('Failed to restore the cache "key"')
    expect(printed(job)).toContain('hit= primary=key matched=')
  })

  test('work without zstd, and do not mix the two kinds of archives', async () => {
    const bin = join(rig.root, 'bin')
    mkdirSync(bin, { recursive: true })
    const link = `for p in bash sh tar gzip ls cat mkdir ln chmod; do ln -sf "$(command -v $p)" ${bin}/; done`
    await run('acme/gzip', [{ run: link }, fill('zstd'), save('key')])
    const env = { PATH: bin }
    const gzip = await run('acme/gzip', [
      { ...restore('key'), env },
      outputs,
      { ...fill('gzip'), env },
      { ...save('key'), env },
      { run: 'rm -r deps' },
      { ...restore('key'), env },
      outputs,
    ])
    expect(printed(gzip)).toEqual(['hit= primary=key matched=', 'hit=true primary=key matched=key'])
  })
})

describe('actions/cache', () => {
  const cache = (key: string, more: Record<string, string> = {}): TestStep => ({
    uses: 'actions/cache@v4',
    id: 'cache',
    with: { key, path: 'deps', ...more },
  })

  test('restores at its place, and saves when the job has succeeded', async () => {
    const first = await run('acme/post', [cache('npm-1', { 'restore-keys': 'npm-' }), outputs, fill('one')])
    const second = await run('acme/post', [cache('npm-1', { 'restore-keys': 'npm-' }), outputs, fill('changed')])
    const third = await run('acme/post', [
      cache('npm-2', { 'restore-keys': 'npm-' }),
      outputs,
      { run: 'cat deps/sub/file' },
      fill('two'),
    ])
    const fourth = await run('acme/post', [cache('npm-2'), { run: 'cat deps/sub/file' }])

    expect(printed(first)).toEqual(['hit= primary=npm-1 matched='])
    expect(first.steps.at(-1)).toMatchObject({ name: 'Post Run actions/cache@v4', conclusion: 'success' })
    expect(first.log).toContain('Cache saved with key: npm-1\n')
    expect(printed(second)).toEqual(['hit=true primary=npm-1 matched=npm-1'])
    expect(second.log).toContain('Cache hit occurred on the primary key npm-1, not saving cache.\n')
    expect(printed(third)).toEqual(['hit=false primary=npm-2 matched=npm-1', 'one'])
    expect(printed(fourth)).toEqual(['two'])
  })

  test('saves nothing when the job has failed or the entry was only looked up', async () => {
    const failed = await run('acme/failed', [cache('key'), fill('broken'), { run: 'exit 1' }])
    const looked = await run('acme/failed', [cache('key'), outputs])
    expect(failed.log).not.toContain('Cache saved')
    expect(printed(looked)).toEqual(['hit= primary=key matched='])
  })

  test('keeps the key that it had at its place', async () => {
    const key = expr("format('key-{0}', hashFiles('lock'))")
    const steps = [
      { run: 'echo 1 > lock' },
      cache('', { key: key as unknown as string }),
      fill('x'),
      { run: 'echo 2 > lock' },
    ]
    const job = await run('acme/key', steps)
    const saved = /Cache saved with key: (key-[0-9a-f]{64})/.exec(job.log)?.[1]
    const again = await run('acme/key', [
      { run: 'echo 1 > lock' },
      { ...cache(''), with: { path: 'deps', key } },
      outputs,
    ])
    expect(saved).toBeDefined()
    expect(printed(again)).toEqual([`hit=true primary=${saved} matched=${saved}`])
  })
})
