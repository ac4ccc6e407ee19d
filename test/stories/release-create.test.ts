import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const rules = (release: string) => `name: shop
release: { ${release} }
environments: { live: { targets: [./targets/live], gates: { tests: 1 } } }
`
const junit = (failures: number) =>
  `<testsuite name="t" tests="1" failures="${failures}"><testcase name="a" classname="b">${failures > 0 ? '<failure message="x"/>' : ''}</testcase></testsuite>`
const digest = (letter: string) => `r.example.org/shop/backend@sha256:${letter.repeat(64)}`

function scratch(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'shipway-built-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** What somebody's CI has built; in another order and at another time it is the same. */
function build(folder: string, names: readonly string[], year: number): void {
  for (const name of names) {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, `content of ${name}\n`)
    utimesSync(file, new Date(`${year}-01-01T00:00:00Z`), new Date(`${year}-01-01T00:00:00Z`))
  }
  symlinkSync('a.js', path.join(folder, 'latest.js'))
}

describe('a release without a run', { tags: ['slow'] }, () => {
  test('has the same id on another machine, whatever the folders are called and whenever they were built', async () => {
    using repository = new Repository({ 'shipway.yml': rules('artifact: dist') })
    const clone = path.join(scratch(), 'elsewhere')
    execFileSync('git', ['clone', '--quiet', repository.root, clone])
    await using here = new Shipway()
    await using there = new Shipway()
    const [one, two] = [scratch(), scratch()]
    build(one, ['a.js', 'sub/b.js'], 2020)
    build(two, ['sub/b.js', 'a.js'], 2024)
    const given = ['--image', `backend=${digest('1')}`, '--json']

    const first = await here.call(repository.root, 'release', 'create', '--artifact', `dist=${one}`, ...given)
    expect(first.status).toBe(0)
    const made = JSON.parse(first.stdout) as { id: string; version: string; manifest: { files: { path: string }[] } }
    expect(made.manifest.files.map((file) => file.path)).toEqual(['a.js', 'latest.js', 'sub/b.js'])
    expect(made.version).toMatch(/^v\d{8}-\d{4}$/)

    const dry = await there.call(clone, 'release', 'create', '--artifact', `dist=${two}`, ...given, '--dry-run')
    expect(JSON.parse(dry.stdout)).toMatchObject({ id: made.id, version: made.version, isDry: true })
    expect((await there.call(clone, 'release', 'list', '--json')).stdout).toContain('"items":[]')
    const second = await there.call(clone, 'release', 'create', '--artifact', `dist=${two}`, ...given)
    expect(JSON.parse(second.stdout)).toMatchObject({ id: made.id, note: null })
    const again = await there.call(clone, 'release', 'create', '--artifact', `dist=${two}`, ...given)
    expect(JSON.parse(again.stdout)).toMatchObject({ id: made.id, note: 'it is here already' })
    expect((await there.call(clone, 'release', 'verify', made.id)).status).toBe(0)

    // Other content of the same commit has the same version in every home: it is another release when somebody gives it one.
    const other = ['release', 'create', '--artifact', `dist=${two}`, '--image', `backend=${digest('2')}`, '--json']
    const taken = await there.call(clone, ...other)
    expect(taken.status).toBe(3)
    expect(JSON.parse(taken.stdout)).toMatchObject({
      error: { code: 'RELEASE_VERSION_TAKEN', fix: expect.stringContaining('--version') },
    })
    expect((await there.call(clone, ...other, '--version', 'v1.0.0')).status).toBe(0)
  })

  test('of two commits of one minute has the same version on every machine, whichever was sealed there first', async () => {
    using repository = new Repository()
    const at = (second: number) => `2026-03-04T05:06:${second}Z`
    const commit = (files: Readonly<Record<string, string>>, second: number) => {
      repository.write(files)
      repository.git('add', '--all')
      const env = { ...process.env, GIT_COMMITTER_DATE: at(second) }
      execFileSync('git', ['-C', repository.root, 'commit', '-qm', `at ${second}`], { env })
    }
    commit({ 'shipway.yml': rules("files: ['app/**']"), 'app/a.txt': 'one\n' }, 10)
    commit({ 'app/a.txt': 'two\n' }, 50)
    await using here = new Shipway()
    await using there = new Shipway()
    const create = async (shipway: Shipway, ref: string) => {
      const { stdout } = await shipway.call(repository.root, 'release', 'create', '--ref', ref, '--json')
      const { id, version } = JSON.parse(stdout) as { id: string; version: string }
      return { id, version }
    }

    const older = await create(here, 'HEAD~1')
    const newer = await create(here, 'main')

    expect([older.version, newer.version]).toEqual(['v20260304-0506', 'v20260304-0506-2'])
    expect([await create(there, 'main'), await create(there, 'HEAD~1')]).toEqual([newer, older])
  })

  test('is deployed by the same rules, proved by the reports that came with it', async () => {
    using repository = new Repository({
      'shipway.yml': rules("files: ['app/**']"),
      'app/a.txt': 'one\n',
    })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => shipway.call(repository.root, ...args)
    const folder = scratch()
    writeFileSync(path.join(folder, 'junit.xml'), junit(1))
    writeFileSync(path.join(folder, 'green.xml'), junit(0))
    writeFileSync(path.join(folder, 'settings.json'), '{"a":1}\n')
    repository.git('tag', 'v1.0.0')

    const red = await call('release', 'create', '--ref', 'v1.0.0', '--report', path.join(folder, 'junit.xml'))
    expect(red).toMatchObject({ status: 0, stdout: expect.stringContaining('1.0.0 of shop') })
    expect((await call('deploy', 'live', 'v1.0.0')).status).toBe(3)

    // Reports that come later prove the same release.
    const green = ['--report', `tests=${path.join(folder, 'green.xml')}`]
    expect((await call('release', 'create', '--ref', 'v1.0.0', ...green)).stdout).toContain('it is here already')
    expect((await call('deploy', 'live', 'v1.0.0')).status).toBe(0)
    expect(readFileSync(path.join(repository.root, 'targets/live/current/app/a.txt'), 'utf8')).toBe('one\n')

    const more = ['--version', 'v1.1.0', '--file', `app/settings.json=${path.join(folder, 'settings.json')}`]
    expect((await call('release', 'create', ...more, ...green)).status).toBe(0)
    expect((await call('deploy', 'live', 'v1.1.0')).status).toBe(0)
    expect(readFileSync(path.join(repository.root, 'targets/live/current/app/settings.json'), 'utf8')).toBe('{"a":1}\n')
    expect((await call('audit')).stdout).toContain('release.created')
  })

  test('tells of a coverage report how much of what the commit changed is covered, against a base that is named or found', async () => {
    const gates = rules("files: ['app/**']").replace('tests: 1', 'coverage: { changed: 80 }')
    using repository = new Repository({ 'shipway.yml': gates, 'app/a.js': 'one\n', '.gitignore': 'targets/\n' })
    await using shipway = new Shipway()
    const lcov = path.join(scratch(), 'lcov.info')
    writeFileSync(lcov, 'SF:app/a.js\nDA:1,0\nDA:2,1\nDA:3,1\nend_of_record\n')
    const seal = async (version: string, ...flags: readonly string[]) => {
      const args = ['release', 'create', '--version', version, '--report', lcov, '--json', ...flags]
      const made = await shipway.call(repository.root, ...args)
      expect(made.status).toBe(0)
      const { reports } = JSON.parse(made.stdout) as {
        reports: readonly { changed?: { covered: number; total: number } }[]
      }
      return reports[0]
    }
    // The line that nobody has covered is the one of the first commit.
    expect(await seal('v1.0.0')).toMatchObject({ changed: { covered: 0, total: 1 } })
    expect((await shipway.call(repository.root, 'deploy', 'live', 'v1.0.0', '--yes')).status).toBe(3)
    repository.commit({ 'app/a.js': 'one\ntwo\n' })
    expect(await seal('v1.1.0')).toMatchObject({ changed: { covered: 1, total: 1 } })
    expect((await shipway.call(repository.root, 'deploy', 'live', 'v1.1.0', '--yes')).status).toBe(0)

    repository.git('checkout', '-q', '-b', 'topic')
    repository.commit({ 'app/a.js': 'one\ntwo\nthree\n' })
    repository.commit({ 'README.md': 'nothing to cover\n' })
    expect(await seal('v1.2.0')).toMatchObject({ changed: { covered: 1, total: 1 } })
    expect(await seal('v1.2.1', '--base', 'HEAD~1', '--dry-run')).toMatchObject({ changesNothing: true })
    expect(await seal('v1.2.2', '--base', 'HEAD~2', '--dry-run')).toMatchObject({ changed: { covered: 1, total: 1 } })
    const unknown = await shipway.call(repository.root, 'release', 'create', '--report', lcov, '--base', 'nowhere')
    expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('REF_NOT_FOUND') })
  })

  test('says what is wrong with what it is given, and seals nothing', async () => {
    using repository = new Repository({ 'shipway.yml': rules('artifact: dist') })
    await using shipway = new Shipway()
    const folder = scratch()
    build(folder, ['a.js'], 2020)
    const dist = ['--artifact', `dist=${folder}`]
    const wrong: readonly (readonly [string, readonly string[]])[] = [
      ['RELEASE_ARTIFACT_UNGIVEN', []],
      ['FLAG_INVALID', ['--artifact', `other=${folder}`]],
      ['FILE_UNREADABLE', ['--artifact', `dist=${folder}/nowhere`]],
      ['RELEASE_VERSION_MALFORMED', [...dist, '--version', 'next']],
      ['FLAG_INVALID', [...dist, '--image', 'backend=r.example.org/backend:latest']],
      ['RELEASE_FILE_INVALID', [...dist, '--file', `../out=${folder}/a.js`]],
      ['FLAG_INVALID', [...dist, '--report', `${folder}/a.js`]],
      ['REF_NOT_FOUND', [...dist, '--ref', 'v9']],
    ]
    for (const [code, flags] of wrong) {
      const refused = await shipway.call(repository.root, 'release', 'create', ...flags)
      expect([code, refused.status, refused.stderr]).toEqual([code, 2, expect.stringContaining(code)])
    }
    repository.git('tag', 'v1')
    const tag = await shipway.call(repository.root, 'release', 'create', ...dist, '--ref', 'v1')
    expect(tag).toMatchObject({ status: 2, stderr: expect.stringContaining('RELEASE_TAG_MALFORMED') })
    expect((await shipway.call(repository.root, 'release', 'create', ...dist, '--version', 'v1.0.0')).status).toBe(0)
    writeFileSync(path.join(folder, 'a.js'), 'other\n')
    const taken = await shipway.call(repository.root, 'release', 'create', ...dist, '--version', 'v1.0.0')
    expect(taken).toMatchObject({ status: 3, stderr: expect.stringContaining('RELEASE_VERSION_TAKEN') })
  })
})
