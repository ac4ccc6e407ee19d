import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import { RunnerRig, expr, messagesOf, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestStep } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

/** Checks the newest commit of a repository out. */
function checkOut(
  repository: Repository,
  inputs: Readonly<Record<string, string>>,
  ...more: readonly TestStep[]
): Promise<EndedJob> {
  const source = { repository: repository.root, sha: repository.git('rev-parse', 'HEAD'), ref: 'refs/heads/main' }
  return rig.run({ source, steps: [{ uses: 'actions/checkout@v4', id: 'code', with: inputs }, ...more] })
}

/** Puts one repository into another as a submodule, under a url. The clone that git makes for that is thrown away unless it is kept. */
function addSubmodule(outer: Repository, inner: Repository, url: string, isKept = false): void {
  outer.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', '--name', 'lib', inner.root, 'lib')
  outer.git('config', '--file', '.gitmodules', 'submodule.lib.url', url)
  outer.commit({}, 'Add lib')
  if (isKept) return
  outer.git('submodule', '--quiet', 'deinit', '--force', '--all')
  rmSync(join(outer.root, '.git/modules'), { recursive: true })
}

const cat = { run: 'cat lib/file lib/lib/file 2>&1 | sed "s/:.*//"; git -C lib rev-parse HEAD' }

describe('the input submodules of actions/checkout', () => {
  test('follows a relative url to a repository of this machine, once or all the way down', async () => {
    using innermost = new Repository({ file: 'innermost\n' })
    using inner = new Repository({ file: 'inner\n' })
    using outer = new Repository({ file: 'outer\n' })
    addSubmodule(inner, innermost, `../${basename(innermost.root)}`)
    addSubmodule(outer, inner, `../${basename(inner.root)}`)
    const commit = inner.git('rev-parse', 'HEAD')
    const one = await checkOut(outer, { submodules: 'true' }, cat)
    const all = await checkOut(outer, { submodules: 'recursive' }, cat)
    const none = await checkOut(outer, {}, { run: 'ls lib' })
    expect(printed(one)).toEqual(['inner', 'cat', commit])
    expect(printed(all)).toEqual(['inner', 'innermost', commit])
    expect(printed(none)).toEqual([])
  })

  test('uses the clone that the repository has, without asking anybody, also for what was never pushed', async () => {
    using inner = new Repository({ file: 'inner\n' })
    using outer = new Repository({ file: 'outer\n' })
    addSubmodule(outer, inner, 'https://127.0.0.1:1/acme/lib.git', true)
    const settings = ['-c', 'user.name=A', '-c', 'user.email=a@example.org', '-c', 'commit.gpgsign=false']
    outer.git('-C', 'lib', ...settings, 'commit', '--quiet', '--allow-empty', '-m', 'Not pushed')
    outer.commit({}, 'Use it')
    const job = await checkOut(outer, { submodules: 'true' }, { run: 'cat lib/file; git -C lib log -1 --format=%s' })
    expect(printed(job)).toEqual(['inner', 'Not pushed'])
  })

  test('restores and cleans them when it is used again', async () => {
    using inner = new Repository({ file: 'inner\n' })
    using outer = new Repository({ file: 'outer\n' })
    addSubmodule(outer, inner, `../${basename(inner.root)}`)
    const again = { uses: 'actions/checkout@v4', with: { submodules: 'true' } }
    const job = await checkOut(outer, { submodules: 'true' }, { run: 'echo x > lib/file; touch lib/new' }, again, {
      run: 'cat lib/file; ls lib',
    })
    expect(printed(job)).toEqual(['inner', 'file'])
  })

  test.each([
    ['a folder of this machine that a stranger may have named', (root: string) => `file://${root}`, /not allowed/],
    ['a program', () => 'ext::touch${IFS}/tmp/never', /not allowed/],
    ['a server that does not answer', () => 'https://127.0.0.1:1/acme/lib.git', /127\.0\.0\.1/],
  ])('fails and says so for %s', async (_what, url, said) => {
    using inner = new Repository({ file: 'inner\n' })
    using outer = new Repository({ file: 'outer\n' })
    addSubmodule(outer, inner, url(inner.root))
    const job = await checkOut(outer, { submodules: 'true' })
    expect(job.result.reason).toMatch(/The submodule lib cannot be had at [0-9a-f]{40} from /)
    expect(job.log).toMatch(said)
  })
})

describe('the input repository of actions/checkout', () => {
  test('takes another repository as the agent has it stored, in a folder of its own and in the place of the first', async () => {
    using own = new Repository({ 'own.txt': 'own\n' })
    using other = new Repository({ 'other.txt': 'other\n' })
    const commit = other.git('rev-parse', 'HEAD')
    const asked: string[] = []
    rig.answer = (request) => {
      if (request.kind !== 'repository') return undefined
      asked.push(request.uses)
      return { repository: other.root, commit }
    }
    const job = await checkOut(
      own,
      {},
      { uses: 'actions/checkout@v4', id: 'other', with: { repository: 'acme/other', path: 'sub', ref: 'v1' } },
      { run: 'cat own.txt sub/other.txt; git -C sub rev-parse HEAD; git -C sub status --porcelain' },
      { run: expr("format('echo {0} {1}', steps.other.outputs.commit, steps.other.outputs.ref)") },
      { uses: 'actions/checkout@v4', with: { repository: 'acme/other' } },
      { run: 'ls' },
    )
    expect(printed(job)).toEqual(['own', 'other', commit, `${commit} v1`, 'other.txt'])
    expect(asked).toEqual(['acme/other@v1', 'acme/other@HEAD'])
  })
})

describe('inputs of actions/checkout that have no use here', () => {
  test('a token and a key are named, and change nothing', async () => {
    using own = new Repository({ 'own.txt': 'own\n' })
    const job = await checkOut(own, { token: 'secret', 'ssh-key': 'key', lfs: 'true' }, { run: 'ls' })
    expect(printed(job)).toEqual(['own.txt'])
    expect(messagesOf(job.result.annotations, 'warning')).toEqual([
      expect.stringContaining('"token" is not needed'),
      expect.stringContaining('"ssh-key" is not needed'),
    ])
  })

  test('lfs fails where a file is kept by it', async () => {
    using own = new Repository({ '.gitattributes': '*.bin filter=lfs\n', 'a.bin': 'version https://git-lfs\n' })
    const job = await checkOut(own, { lfs: 'true' })
    expect(job.result.reason).toContain('"lfs: true" is not supported')
    expect((await checkOut(own, {})).result.conclusion).toBe('success')
  })
})
