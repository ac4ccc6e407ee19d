import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Repository } from '../../../test/rig/repository.ts'
import { RunnerRig, expr, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestJob } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

const run = (job: TestJob): Promise<EndedJob> => rig.run(job)

describe('actions/checkout', () => {
  test('puts the commit of the run on its branch into the workspace', async () => {
    using repository = new Repository({ 'a.txt': 'one', 'bin/run*': '#!/bin/sh\necho ran\n' })
    const sha = repository.git('rev-parse', 'HEAD')
    repository.commit({ 'a.txt': 'two' })
    const job = await run({
      source: { repository: repository.root, sha, ref: 'refs/heads/main' },
      steps: [
        { uses: 'actions/checkout@v4', id: 'code' },
        {
          run: 'cat a.txt; echo; bin/run; git branch --show-current; git status --porcelain; git rev-parse HEAD origin/main',
        },
        { run: expr("format('echo {0} {1}', steps.code.outputs.commit, steps.code.outputs.ref)") },
      ],
    })
    expect(printed(job)).toEqual(['one', 'ran', 'main', sha, sha, `${sha} refs/heads/main`])
    expect(job.result.annotations).toEqual([])
  })

  test.each([
    ['a tag', 'refs/tags/v1.0.0'],
    ['a pull request', 'refs/pull/7/merge'],
  ])('detaches the head for %s', async (_name, ref) => {
    using repository = new Repository({ 'a.txt': 'one' })
    repository.git('tag', 'v1.0.0')
    const sha = repository.git('rev-parse', 'HEAD')
    const job = await run({
      source: { repository: repository.root, sha, ref },
      steps: [{ uses: 'actions/checkout@v4' }, { run: 'git rev-parse --abbrev-ref HEAD; git rev-parse HEAD' }],
    })
    expect(printed(job)).toEqual(['HEAD', sha])
  })

  test('takes another ref, into a folder, with history and tags when asked', async () => {
    using repository = new Repository({ 'a.txt': 'one' })
    repository.git('tag', '-a', 'v1.0.0', '-m', 'One')
    repository.git('branch', 'feature/x')
    const sha = repository.commit({ 'a.txt': 'two' })
    const job = await run({
      source: { repository: repository.root, sha, ref: 'refs/heads/main' },
      steps: [
        { uses: 'actions/checkout@v4', with: { 'fetch-depth': 0 } },
        { run: 'git describe; git rev-list --count HEAD; git branch -r --list | tr -d " "' },
        { uses: 'actions/checkout@v4', with: { ref: 'feature/x', path: 'old' } },
        { uses: 'actions/checkout@v4', with: { ref: 'v1.0.0', path: 'tagged' } },
        { run: 'cat a.txt old/a.txt tagged/a.txt' },
      ],
    })
    expect(printed(job)).toEqual([
      expect.stringMatching(/^v1\.0\.0-1-g/),
      '2',
      'origin/feature/x',
      'origin/main',
      'twooneone',
    ])
  })

  test('cleans up when it is used again, unless told not to', async () => {
    using repository = new Repository({ 'a.txt': 'one' })
    const source = { repository: repository.root, sha: repository.git('rev-parse', 'HEAD') }
    const job = await run({
      source,
      steps: [
        { uses: 'actions/checkout@v4' },
        { run: 'echo changed > a.txt; touch new' },
        { uses: 'actions/checkout@v4', with: { clean: false } },
        { run: 'ls' },
        { run: 'echo changed > a.txt' },
        { uses: 'actions/checkout@v4' },
        { run: 'ls; cat a.txt' },
      ],
    })
    expect(printed(job)).toEqual(['a.txt', 'new', 'a.txt', 'one'])
  })

  test('works from a linked work tree, a bare repository and a shallow clone', async () => {
    using repository = new Repository({ 'a.txt': 'one' })
    const sha = repository.commit({ 'a.txt': 'two' })
    const linked = join(rig.root, 'linked')
    const bare = join(rig.root, 'bare.git')
    const shallow = join(rig.root, 'shallow')
    repository.git('worktree', 'add', '--quiet', '--detach', linked)
    repository.git('clone', '--quiet', '--bare', repository.root, bare)
    repository.git('clone', '--quiet', '--depth', '1', `file://${repository.root}`, shallow)
    for (const place of [linked, bare, shallow]) {
      const job = await run({
        source: { repository: place, sha },
        steps: [{ uses: 'actions/checkout@v4' }, { run: 'cat a.txt; git log --oneline | wc -l' }],
      })
      expect(printed(job), place).toEqual([`two${place === shallow ? 1 : 2}`])
    }
  })

  test.each([
    [{ path: '../outside' }, /leads out/],
    [{ ref: 'no-such-branch' }, /"no-such-branch" cannot be checked out/],
    [{ ref: '--upload-pack=touch /tmp/x' }, /cannot be checked out/],
    [{ repository: 'other' }, /the input "repository" .*owner\/name/],
    [{ submodules: 'perhaps' }, /must be true or false/],
    [{ clean: 'perhaps' }, /must be true or false/],
  ])('refuses %j', async (inputs, reason) => {
    using repository = new Repository({ 'a.txt': 'one' })
    const source = { repository: repository.root, sha: repository.git('rev-parse', 'HEAD') }
    const first = { uses: 'actions/checkout@v4' }
    const job = await run({ source, steps: [first, { uses: 'actions/checkout@v4', with: inputs }] })
    expect(job.result.reason).toMatch(reason)
  })

  test('says which commit is missing where', async () => {
    using repository = new Repository({ 'a.txt': 'one' })
    const job = await run({
      source: { repository: repository.root, sha: 'a'.repeat(40) },
      steps: [{ uses: 'actions/checkout@v4' }],
    })
    expect(job.result.reason).toContain(`"${'a'.repeat(40)}" cannot be checked out from ${repository.root}`)
  })

  test('takes only the folders, or the patterns, that sparse-checkout names, and all files again without it', async () => {
    using repository = new Repository({ 'top.txt': '', 'a/one.txt': '', 'b/two.txt': '', 'b/three.md': '' })
    const source = { repository: repository.root, sha: repository.git('rev-parse', 'HEAD') }
    const list = { run: 'git ls-files -t | sort' }
    const job = await run({
      source,
      steps: [
        { uses: 'actions/checkout@v4', with: { 'sparse-checkout': 'a\n' } },
        { run: 'find . -name .git -prune -o -type f -print | sort' },
        { uses: 'actions/checkout@v4', with: { 'sparse-checkout': '*.md', 'sparse-checkout-cone-mode': 'false' } },
        { run: 'find . -name .git -prune -o -type f -print | sort' },
        { uses: 'actions/checkout@v4' },
        list,
      ],
    })
    expect(printed(job).filter((line) => !line.startsWith('HEAD'))).toEqual([
      './a/one.txt',
      './top.txt',
      './b/three.md',
      'H a/one.txt',
      'H b/three.md',
      'H b/two.txt',
      'H top.txt',
    ])
  })
})
