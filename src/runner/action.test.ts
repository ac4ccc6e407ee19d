import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ArtifactManifest } from '#core/run/artifact.ts'
import { Repository } from '../../test/rig/repository.ts'
import { RunnerRig, expr, messagesOf } from '../../test/rig/runner.ts'
import type { EndedJob, TestJob } from '../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

const run = (job: TestJob): Promise<EndedJob> => rig.run(job)

/** What the steps printed, without the runner's own lines. */
function printed({ lines }: EndedJob): readonly string[] {
  return lines.filter((line) => line.stream !== 'system').map((line) => line.text)
}

/** A run of its own: jobs with the same name of it share their artifacts. */
function freshRun(name: string): { readonly artifacts: string; readonly blobs: string } {
  return { artifacts: join(rig.root, name, 'artifacts'), blobs: join(rig.root, name, 'blobs') }
}

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
    [{ repository: 'other/repo' }, /"repository: other\/repo" is not supported/],
    [{ submodules: 'recursive' }, /"submodules: recursive" is not supported/],
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
})

describe('artifacts', () => {
  test('travel from one job to the next with their folders and permissions', async () => {
    const paths = freshRun('travel')
    const upload = await run({
      jobKey: 'build',
      paths,
      steps: [
        {
          run: 'mkdir -p dist/sub; echo one > dist/a.txt; echo two > dist/sub/b.txt; echo one > dist/same.txt; chmod +x dist/a.txt; touch dist/x.map dist/.hidden',
        },
        { uses: 'actions/upload-artifact@v4', id: 'up', with: { name: 'site', path: 'dist\n!dist/**/*.map' } },
        { run: expr("format('echo {0}', steps.up.outputs.artifact-digest)") },
      ],
    })
    const download = await run({
      jobKey: 'test',
      paths,
      steps: [
        { uses: 'actions/download-artifact@v4', id: 'down', with: { name: 'site', path: 'got' } },
        { run: 'cd got; find . -type f | sort; test -x a.txt && ! test -x same.txt && cat a.txt sub/b.txt' },
        { run: expr("format('echo {0}', steps.down.outputs.download-path)") },
      ],
    })
    expect(printed(download)).toEqual([
      './a.txt',
      './same.txt',
      './sub/b.txt',
      'one',
      'two',
      join(download.order.paths.workspace, 'got'),
    ])
    const manifest = JSON.parse(readFileSync(join(paths.artifacts, 'site.json'), 'utf8')) as ArtifactManifest
    expect(manifest).toMatchObject({ name: 'site', jobKey: 'build', digest: printed(upload)[0] })
    expect(manifest.files.map((file) => [file.path, file.mode.toString(8), file.size])).toEqual([
      ['a.txt', '755', 4],
      ['same.txt', '644', 4],
      ['sub/b.txt', '644', 4],
    ])
    const blobs = readdirSync(join(paths.blobs, 'sha256'), { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    expect(blobs.map((entry) => entry.name).toSorted()).toEqual(
      [...new Set(manifest.files.map((file) => file.digest))].toSorted(),
    )
  })

  test('of several paths keep what the paths have in common as their root', async () => {
    const paths = freshRun('roots')
    await run({
      paths,
      steps: [
        { run: 'mkdir -p out/a out/b; echo 1 > out/a/1.txt; echo 2 > out/b/2.txt; echo 3 > single.txt' },
        { uses: 'actions/upload-artifact@v4', with: { name: 'two', path: 'out/a\nout/b/*.txt' } },
        { uses: 'actions/upload-artifact@v4', with: { name: 'one', path: 'single.txt' } },
        { uses: 'actions/upload-artifact@v4', with: { name: 'glob', path: '**/*.txt' } },
      ],
    })
    const files = (name: string) =>
      (JSON.parse(readFileSync(join(paths.artifacts, `${name}.json`), 'utf8')) as ArtifactManifest).files.map(
        (file) => file.path,
      )
    expect([files('two'), files('one'), files('glob')]).toEqual([
      ['a/1.txt', 'b/2.txt'],
      ['single.txt'],
      ['out/a/1.txt', 'out/b/2.txt', 'single.txt'],
    ])
  })

  test('are all downloaded without a name, by pattern, or merged', async () => {
    const paths = freshRun('many')
    await run({
      paths,
      steps: ['unit', 'e2e', 'docs'].flatMap((name) => [
        { run: `echo ${name} > ${name}.txt` },
        { uses: 'actions/upload-artifact@v4', with: { name, path: `${name}.txt` } },
      ]),
    })
    const job = await run({
      paths,
      steps: [
        { uses: 'actions/download-artifact@v4', with: { path: 'all' } },
        { uses: 'actions/download-artifact@v4', with: { path: 'some', pattern: '{docs,x}', 'merge-multiple': true } },
        { uses: 'actions/download-artifact@v4', with: { path: 'merged', pattern: '[ue]*', 'merge-multiple': 'true' } },
        { run: 'find all merged -type f | sort' },
      ],
    })
    expect(printed(job)).toEqual([
      'all/docs/docs.txt',
      'all/e2e/e2e.txt',
      'all/unit/unit.txt',
      'merged/e2e.txt',
      'merged/unit.txt',
    ])
  })

  test('keep their name to themselves, except against overwrite and an earlier attempt of the same job', async () => {
    const paths = freshRun('names')
    const upload = (text: string, inputs: Record<string, string> = {}) => [
      { run: `echo ${text} > file` },
      { uses: 'actions/upload-artifact@v4', with: { name: 'n', path: 'file', ...inputs } },
    ]
    const results = [
      await run({ paths, jobKey: 'a', attempt: 1, steps: upload('first') }),
      await run({ paths, jobKey: 'b', attempt: 1, steps: upload('second') }),
      await run({ paths, jobKey: 'a', attempt: 2, steps: upload('third') }),
      await run({ paths, jobKey: 'b', attempt: 2, steps: upload('fourth', { overwrite: 'true' }) }),
    ]
    expect(results.map((job) => job.result.conclusion)).toEqual(['success', 'failure', 'success', 'success'])
    expect(results[1]?.result.reason).toContain('An artifact named "n" already exists in this run.')
    const down = await run({
      paths,
      steps: [{ uses: 'actions/download-artifact@v4', with: { name: 'n' } }, { run: 'cat file' }],
    })
    expect(printed(down)).toEqual(['fourth'])
  })

  test.each([
    ['warn', 'success'],
    ['ignore', 'success'],
    ['error', 'failure'],
    ['shrug', 'failure'],
  ])('of nothing: if-no-files-found: %s is a %s', async (choice, conclusion) => {
    const job = await run({
      steps: [{ uses: 'actions/upload-artifact@v4', with: { path: 'none', 'if-no-files-found': choice } }],
    })
    expect(job.result.conclusion).toBe(conclusion)
    expect(messagesOf(job.result.annotations, 'warning').length).toBe(choice === 'warn' ? 1 : 0)
  })

  test('that nobody uploaded, or that changed, fail the step with the reason', async () => {
    const paths = freshRun('damaged')
    await run({
      paths,
      steps: [{ run: 'echo data > file' }, { uses: 'actions/upload-artifact@v4', with: { name: 'd', path: 'file' } }],
    })
    const missing = await run({ paths, steps: [{ uses: 'actions/download-artifact@v4', with: { name: 'x' } }] })
    expect(missing.result.reason).toContain('No artifact named "x" was uploaded in this run (artifacts: d).')
    const manifest = JSON.parse(readFileSync(join(paths.artifacts, 'd.json'), 'utf8')) as ArtifactManifest
    const digest = manifest.files[0]?.digest ?? ''
    writeFileSync(join(paths.blobs, 'sha256', digest.slice(0, 2), digest), 'dato\n')
    const damaged = await run({ paths, steps: [{ uses: 'actions/download-artifact@v4', with: { name: 'd' } }] })
    expect(damaged.result.reason).toContain('the contents of file are not what was uploaded')
  })

  test('cannot be unpacked outside their folder: not by their paths, not by a link in the workspace', async () => {
    const paths = freshRun('escape')
    const outside = join(rig.root, 'outside')
    mkdirSync(outside)
    await run({
      paths,
      steps: [
        { run: 'mkdir -p d/in; echo evil > d/in/file; echo evil > d/plain' },
        { uses: 'actions/upload-artifact@v4', with: { name: 'e', path: 'd' } },
      ],
    })
    const linked = await run({
      paths,
      steps: [{ run: `ln -s ${outside} in` }, { uses: 'actions/download-artifact@v4', with: { name: 'e' } }],
    })
    expect(linked.result.reason).toMatch(/leads out/)
    const replaced = await run({
      paths,
      steps: [{ run: `ln -s ${outside}/plain plain` }, { uses: 'actions/download-artifact@v4', with: { name: 'e' } }],
    })
    expect(replaced.result.conclusion).toBe('success')
    expect(readdirSync(outside)).toEqual([])
    const text = readFileSync(join(paths.artifacts, 'e.json'), 'utf8').replace('"in/file"', '"../../outside/file"')
    writeFileSync(join(paths.artifacts, 'e.json'), text)
    const forged = await run({ paths, steps: [{ uses: 'actions/download-artifact@v4', with: { name: 'e' } }] })
    expect(forged.result.reason).toMatch(/is damaged/)
    expect(readdirSync(outside)).toEqual([])
    const away = await run({
      paths,
      steps: [{ uses: 'actions/download-artifact@v4', with: { name: 'e', path: '/etc/x' } }],
    })
    expect(away.result.reason).toMatch(/leads out/)
    expect(existsSync('/etc/x')).toBe(false)
  })
})

describe('shipway/deploy', () => {
  const steps = [
    { uses: 'shipway/deploy@v1', id: 'deploy', with: { environment: 'staging' } },
    { run: expr("format('echo {0} {1}', steps.deploy.outputs.version, steps.deploy.outputs.url)") },
  ]

  test('asks the agent, shows its progress, and passes on what was deployed', async () => {
    const order = rig.begin({ jobKey: 'deploy-ok', steps, secrets: { KEY: 'progress-secret' } })
    const { jobKey, runId, attempt } = order
    const message = await rig.message((found) => found.type === 'request' && found.jobKey === jobKey)
    expect(message).toEqual({
      type: 'request',
      runId,
      jobKey,
      attempt,
      requestId: 1,
      request: { kind: 'deploy', environment: 'staging' },
    })
    rig.send({ type: 'progress', requestId: 1, line: 'switch web1 progress-secret' })
    const result = { deployment: 'dep_1', release: 'abc', version: 'v1.0.0', url: 'https://s.example.org' }
    rig.send({ type: 'reply', requestId: 1, result })
    const job = await rig.ended(order)
    expect(job.log).toContain('switch web1 ***\n')
    expect(printed(job)).toEqual(['v1.0.0 https://s.example.org'])
  })

  test('fails with the reason when it is refused', async () => {
    const order = rig.begin({ jobKey: 'deploy-no', steps })
    await rig.message((found) => found.type === 'request' && found.jobKey === order.jobKey)
    const error = { code: 'APPROVAL_REJECTED', kind: 'refused', message: 'Bob said no.', hint: 'Ask Bob.' }
    rig.send({ type: 'reply-error', requestId: 2, error })
    const job = await rig.ended(order)
    expect(job.result.reason).toBe('Step 1 "Run shipway/deploy@v1" failed: Bob said no.')
    expect(job.log).toContain('##[error]Bob said no.\nAsk Bob.\n')
  })

  test('takes the environment of its job, and stops waiting when the job is cancelled', async () => {
    const order = rig.begin({
      jobKey: 'deploy-wait',
      leg: { environment: { name: 'production' } },
      steps: [{ uses: 'shipway/deploy@v1' }],
    })
    const message = await rig.message((found) => found.type === 'request' && found.jobKey === order.jobKey)
    expect(message).toMatchObject({ request: { environment: 'production' } })
    rig.send({ type: 'cancel', jobKey: order.jobKey, attempt: order.attempt, reason: 'Not today.' })
    const job = await rig.ended(order)
    expect(job.steps[1]).toMatchObject({ conclusion: 'cancelled', reason: 'Not today.' })
  })

  test('needs an environment', async () => {
    const job = await run({ steps: [{ uses: 'shipway/deploy@v1' }] })
    expect(job.result.reason).toContain('the job needs `environment:`')
  })
})

describe('a composite action of the workspace', () => {
  /** A job that writes actions into its workspace before its other steps. */
  function withActions(actions: Readonly<Record<string, string>>, job: TestJob): Promise<EndedJob> {
    const key = `composite-${(count += 1)}`
    const workspace = join(rig.root, key, 'workspace')
    for (const [name, text] of Object.entries(actions)) {
      mkdirSync(dirname(join(workspace, name)), { recursive: true })
      writeFileSync(join(workspace, name), text)
    }
    return run({ ...job, jobKey: key, paths: { workspace } })
  }
  let count = 0

  const greet = `
name: Greet
inputs:
  who: { required: true, default: World }
  From: { default: '\${{ github.event_name }}' }
outputs:
  text: { value: '\${{ steps.say.outputs.text }}' }
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      env: { INNER: inner }
      run: |
        echo "text=Hello \${{ inputs.who }} from \${{ inputs.from }}" >> "$GITHUB_OUTPUT"
        echo "KEPT=kept" >> "$GITHUB_ENV"
        echo "\${OUTER:-none} $INNER \${GITHUB_ACTION_PATH##*/}"
    - shell: bash
      run: echo "\${INNER:-isolated} \${{ steps.say.outcome }}"
`

  test('has inputs, outputs, its own steps, and the variables of its caller', async () => {
    const job = await withActions(
      { 'actions/greet/action.yml': greet },
      {
        steps: [
          { uses: './actions/greet', id: 'greet', with: { WHO: 'Ann' }, env: { OUTER: 'outer' } },
          {
            run: expr(
              "format('echo {0}; echo $KEPT ${{OUTER:-gone}} {1}', steps.greet.outputs.text, steps.say.outcome)",
            ),
          },
        ],
      },
    )
    expect(printed(job)).toEqual(['outer inner greet', 'isolated success', 'Hello Ann from push', 'kept gone'])
    expect(job.steps).toHaveLength(3)
  })

  test('stops at its own failure, cleans up, and still gives its outputs', async () => {
    const text = `
name: Fail
outputs: { early: { value: '\${{ steps.a.outputs.early }}' } }
runs:
  using: composite
  steps:
    - { id: a, shell: bash, run: 'echo "early=yes" >> $GITHUB_OUTPUT' }
    - { shell: bash, run: 'exit 4' }
    - { shell: bash, run: 'echo never' }
    - { shell: bash, run: 'echo cleanup', if: failure() }
    - { shell: bash, run: 'echo allowed; exit 5', if: always(), continue-on-error: true }
`
    const job = await withActions(
      { 'f/action.yaml': text },
      {
        steps: [
          { uses: './f', id: 'f', continueOnError: true },
          { run: expr("format('echo {0} {1}', steps.f.outputs.early, steps.f.outcome)") },
        ],
      },
    )
    expect(printed(job)).toEqual(['cleanup', 'allowed', 'yes failure'])
    expect(job.steps[1]?.reason).toBe('Process completed with exit code 4.')
    expect(job.result.conclusion).toBe('success')
  })

  test('may call others, but not without end', async () => {
    const outer = "name: Outer\nruns: { using: composite, steps: [{ uses: ./inner, with: { n: '1' } }] }\n"
    const inner =
      "name: Inner\ninputs: { n: {} }\nruns: { using: composite, steps: [{ run: 'echo ${{ inputs.n }}', shell: sh }] }\n"
    const loop = 'name: Loop\nruns: { using: composite, steps: [{ uses: ./loop }] }\n'
    const fine = await withActions(
      { 'outer/action.yml': outer, 'inner/action.yml': inner },
      { steps: [{ uses: './outer' }] },
    )
    expect(printed(fine)).toEqual(['1'])
    const endless = await withActions({ 'loop/action.yml': loop }, { steps: [{ uses: './loop' }] })
    expect(endless.result.reason).toContain('nested deeper than 9 levels')
  })

  test('sees no secrets of its own accord, and masks what it adds for the whole job', async () => {
    const spy = "name: Spy\nruns: { using: composite, steps: [{ run: 'echo ${{ secrets.KEY }}', shell: sh }] }\n"
    const mask =
      'name: Mask\nruns: { using: composite, steps: [{ run: "v=hid-$((1+1))-den; echo ::add-mask::$v", shell: sh }] }\n'
    const refused = await withActions({ 'spy/action.yml': spy }, { secrets: { KEY: 'k' }, steps: [{ uses: './spy' }] })
    expect(refused.result.reason).toMatch(/secrets/)
    const masked = await withActions(
      { 'mask/action.yml': mask },
      { steps: [{ uses: './mask' }, { run: 'echo a hid-2-den b' }] },
    )
    expect(printed(masked)).toEqual(['a *** b'])
  })

  test('is stopped as a whole when its step takes too long', async () => {
    const slow =
      'name: Slow\nruns: { using: composite, steps: [{ run: sleep 600, shell: sh }, { run: echo next, shell: sh, if: always() }] }\n'
    const job = await withActions({ 'slow/action.yml': slow }, { steps: [{ uses: './slow', timeoutMinutes: 0.005 }] })
    expect(job.result.reason).toMatch(/has timed out/)
    expect(printed(job)).toEqual([])
  })

  test.each<[string, Record<string, string>, string, RegExp]>([
    ['is not there', {}, './none', /Can't find 'action.yml' or 'action.yaml'/],
    ['leads out of the workspace', {}, './../../x', /leads out/],
    ['is no action', { 'bad/action.yml': 'runs: {}' }, './bad', /runs\.using/],
    [
      'lacks a shell',
      { 'bad/action.yml': 'name: B\nruns: { using: composite, steps: [{ run: x }] }' },
      './bad',
      /missing: shell/,
    ],
    [
      'runs JavaScript',
      { 'js/action.yml': 'name: J\nruns: { using: node20, main: x.js }' },
      './js',
      /does not run node actions/,
    ],
  ])('that %s fails the step with the reason', async (_name, actions, uses, reason) => {
    const job = await withActions(actions, { steps: [{ uses }] })
    expect(job.result.reason).toMatch(reason)
  })

  test('warns about inputs that it does not have', async () => {
    const job = await withActions(
      { 'actions/greet/action.yml': greet },
      { steps: [{ uses: './actions/greet', with: { hwo: 'Ann' } }] },
    )
    expect(messagesOf(job.result.annotations, 'warning')).toEqual([
      "Unexpected input(s) 'hwo', valid inputs are ['who', 'From']",
    ])
  })
})

test('the folders of blobs are for their owner only', () => {
  expect(statSync(join(rig.root, 'travel', 'blobs')).mode & 0o077).toBe(0)
})
