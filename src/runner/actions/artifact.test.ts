import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ArtifactManifest } from '#core/run/artifact.ts'
import { RunnerRig, expr, messagesOf, printed } from '../../../test/rig/runner.ts'
import type { EndedJob, TestJob } from '../../../test/rig/runner.ts'

let rig: RunnerRig
beforeAll(() => {
  rig = RunnerRig.start()
})
afterAll(() => rig[Symbol.asyncDispose]())

const run = (job: TestJob): Promise<EndedJob> => rig.run(job)

/** A run of its own: jobs with the same name of it share their artifacts. */
function freshRun(name: string): { readonly artifacts: string; readonly blobs: string } {
  return { artifacts: join(rig.root, name, 'artifacts'), blobs: join(rig.root, name, 'blobs') }
}

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
        { run: 'find all some merged -type f | sort' },
      ],
    })
    expect(printed(job)).toEqual([
      'all/docs/docs.txt',
      'all/e2e/e2e.txt',
      'all/unit/unit.txt',
      'merged/e2e.txt',
      'merged/unit.txt',
      'some/docs.txt',
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
  })
})

describe('the inputs of the artifact actions', () => {
  const upload = (name: string, text: string, inputs: Record<string, string> = {}) => [
    { run: `mkdir -p d; echo ${text} > d/${name}.txt` },
    { uses: 'actions/upload-artifact@v4', id: name, with: { name, path: `d/${name}.txt`, ...inputs } },
  ]
  const idOf = (name: string) => expr(`steps.${name}.outputs.artifact-id`)

  test('artifact-ids chooses by number: one goes straight into the path, several into folders', async () => {
    const paths = freshRun('ids')
    const both = expr("format('{0}, {1}', steps.one.outputs.artifact-id, steps.two.outputs.artifact-id)")
    const job = await run({
      paths,
      steps: [
        ...upload('one', '1'),
        ...upload('two', '2'),
        { uses: 'actions/download-artifact@v4', with: { 'artifact-ids': idOf('one'), path: 'single' } },
        { uses: 'actions/download-artifact@v4', with: { 'artifact-ids': both, path: 'several' } },
        { run: 'find single several -type f | sort' },
      ],
    })
    expect(printed(job)).toEqual(['several/one/one.txt', 'several/two/two.txt', 'single/one.txt'])
  })

  test.each([
    [{ 'artifact-ids': '1' }, 'No artifact has the id 1'],
    [{ 'artifact-ids': 'x' }, 'numbers, separated by commas'],
    [{ 'artifact-ids': '1', name: 'one' }, 'left out where `name` is given'],
    [{ name: '../one' }, 'No artifact named "../one"'],
    [{ 'run-id': '../run' }, 'No run "../run"'],
    [{ 'run-id': 'run_unknown' }, 'No run "run_unknown"'],
    [{ repository: 'other/repo' }, '"repository: other/repo" is not supported'],
  ])('%j is refused: %s', async (inputs, reason) => {
    const paths = freshRun('refused')
    const steps = [...upload('one', '1', { overwrite: 'true' }), { uses: 'actions/download-artifact@v4', with: inputs }]
    expect((await run({ paths, steps })).result.reason).toContain(reason)
  })

  test.each([
    [{ path: '' }, '"path"'],
    [{ 'compression-level': '10' }, '"compression-level"'],
    [{ 'retention-days': 'long' }, '"retention-days"'],
    [{ archive: 'maybe' }, '"archive"'],
    [{ archive: 'false', path: 'd\ne' }, '"archive"'],
  ])('an upload with %j is refused because of %s', async (inputs, input) => {
    const steps = [{ run: 'mkdir e; touch e/other' }, ...upload('bad', '1', inputs)]
    const job = await run({ paths: freshRun('bad'), steps })
    expect(job.result.reason).toContain(`the input ${input}`)
  })

  test('archive: false keeps a single file under its own name', async () => {
    const paths = freshRun('plain')
    const job = await run({
      paths,
      steps: [
        ...upload('report', '1', { archive: 'false' }),
        { uses: 'actions/download-artifact@v4', with: { name: 'report.txt', path: 'got' } },
        { run: 'cat got/report.txt' },
      ],
    })
    expect(printed(job)).toEqual(['1'])
    const manifest = JSON.parse(readFileSync(join(paths.artifacts, 'report.txt.json'), 'utf8')) as ArtifactManifest
    expect(manifest).toMatchObject({ mimeType: 'text/plain', files: [{ path: 'report.txt' }] })
  })

  test('run-id takes artifacts of another run of the same home, and path leads where the step says', async () => {
    const elsewhere = { artifacts: join(rig.root, 'runs/run_other/artifacts'), blobs: join(rig.root, 'blobs') }
    await run({ paths: elsewhere, steps: upload('one', 'of another run') })
    const outside = join(rig.root, 'outside the workspace')
    const inputs = { name: 'one', 'run-id': 'run_other', 'github-token': 'unused' }
    rig.answer = (request) =>
      request.kind === 'artifacts' && request.run === 'run_other' ? { run: 'run_other' } : undefined
    const job = await run({
      paths: { artifacts: join(rig.root, 'runs/run_own/artifacts'), blobs: join(rig.root, 'blobs') },
      steps: [
        { uses: 'actions/download-artifact@v4', with: { ...inputs, path: outside } },
        { uses: 'actions/download-artifact@v4', with: { ...inputs, path: '~/at-home' } },
        { run: `cat '${outside}/one.txt' ~/at-home/one.txt` },
      ],
    })
    expect(printed(job)).toEqual(['of another run', 'of another run'])
    expect(job.result.annotations).toEqual([])
  })

  test('actions/upload-artifact/merge makes one of several, and removes them when asked', async () => {
    const paths = freshRun('merge')
    const job = await run({
      paths,
      steps: [
        ...upload('unit-a', 'a'),
        ...upload('unit-b', 'b'),
        ...upload('docs', 'd'),
        {
          uses: 'actions/upload-artifact/merge@v4',
          with: { name: 'folders', pattern: 'unit-*', 'separate-directories': 'true' },
        },
        {
          uses: 'actions/upload-artifact/merge@v4',
          with: { name: 'flat', pattern: 'unit-*', 'delete-merged': 'true' },
        },
        { uses: 'actions/download-artifact@v4', with: { path: 'got' } },
        { run: 'find got -type f | sort; cat got/flat/unit-b.txt' },
        { uses: 'actions/upload-artifact/merge@v4', with: { pattern: 'none-*' } },
      ],
    })
    expect(printed(job)).toEqual([
      'got/docs/docs.txt',
      'got/flat/unit-a.txt',
      'got/flat/unit-b.txt',
      'got/folders/unit-a/unit-a.txt',
      'got/folders/unit-b/unit-b.txt',
      'b',
    ])
    expect(job.result.reason).toContain('No artifacts were found with the provided pattern: none-*.')
  })
})

test('the folders of blobs are for their owner only', () => {
  expect(statSync(join(rig.root, 'travel', 'blobs')).mode & 0o077).toBe(0)
})
