import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const workflow = `on: push
jobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }
`
const rules = (level: string) =>
  `name: shop\nrelease: { files: ['app/**'] }\nenvironments:\n  live: { targets: [./targets/live], variables: { LEVEL: ${level} } }\n`

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')

/** Files below a folder. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => path.join(folder, name))
    .filter((file) => statSync(file).isFile())
}

describe('a sealed release', { tags: ['slow'] }, () => {
  test('is compared, noted, verified, and carried to another home where it has the same id', async () => {
    using repository = new Repository({ '.github/workflows/ci.yml': workflow })
    await using shipway = new Shipway()
    await using elsewhere = new Shipway()
    const { root } = repository
    const seal = async (tag: string, files: Readonly<Record<string, string>>, message: string) => {
      repository.commit(files, message)
      repository.git('tag', tag)
      expect((await shipway.call(root, 'run', 'push', '--ref', tag)).status).toBe(0)
    }
    await seal('v1.0.0', { 'shipway.yml': rules('info'), 'app/a.txt': 'one\n', 'app/gone.txt': 'x\n' }, 'feat: begin')
    repository.git('rm', '--quiet', 'app/gone.txt')
    await seal(
      'v1.1.0',
      { 'shipway.yml': rules('debug'), 'app/a.txt': 'two\n', 'app/b.txt': 'b\n' },
      'fix: say two (#7)',
    )

    const compared = await shipway.call(root, 'release', 'compare', 'v1.0.0', 'v1.1.0')
    expect(compared.status).toBe(0)
    expect(compared.stdout).toMatch(
      /1 added, 1 changed, 1 removed[\s\S]*\+ app\/b\.txt[\s\S]*~ app\/a\.txt[\s\S]*- app\/gone\.txt[\s\S]*~ live: variable LEVEL/,
    )

    const notes = await shipway.call(root, 'release', 'notes', 'v1.1.0')
    expect(notes.stdout).toMatch(
      /^# v1\.1\.0\n\nChanges since v1\.0\.0\.\n\n## Fixes\n\n- fix: say two \(#7\) \([0-9a-f]{7}, Ann Author\)\n\nIssues: #7\n/,
    )
    expect(notes.stdout).not.toContain('begin')

    expect((await shipway.call(root, 'release', 'verify', 'v1.1.0')).status).toBe(0)
    const file = path.join(shipway.home, 'carried.zip')
    expect((await shipway.call(root, 'release', 'export', 'v1.1.0', '-o', file)).status).toBe(0)
    const again = path.join(shipway.home, 'again.zip')
    expect((await shipway.call(root, 'release', 'export', 'v1.1.0', '-o', again)).status).toBe(0)
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true)
    expect((await shipway.call(root, 'release', 'export', 'v1.1.0', '-o', file)).stderr).toContain(
      'EXPORT_TARGET_TAKEN',
    )
    const nowhere = path.join(shipway.home, 'no/such/folder.zip')
    expect(await shipway.call(root, 'release', 'export', 'v1.1.0', '-o', nowhere)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/its folder does not exist[\s\S]*EXPORT_UNWRITABLE/) as string,
    })
    for (const absent of [nowhere, shipway.home])
      expect(await elsewhere.call(root, 'release', 'import', absent)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining('FILE_UNREADABLE') as string,
      })

    expect((await elsewhere.call(root, 'release', 'import', file)).status).toBe(0)
    const twice = await elsewhere.call(root, 'release', 'import', file)
    expect(twice.stdout).toContain('it is here already')
    const idIn = async (home: Shipway) =>
      (JSON.parse((await home.call(root, 'release', 'show', 'v1.1.0', '--json')).stdout) as { id: string }).id
    expect(await idIn(elsewhere)).toBe(await idIn(shipway))

    // How it was built goes with it, and is about this release and this commit.
    const built = /built {5}run_\w+ from \.github\/workflows\/ci\.yml at [0-9a-f]{7} by \S+ \(not signed\)/
    expect((await shipway.call(root, 'release', 'show', 'v1.1.0')).stdout).toMatch(built)
    const verified = await elsewhere.call(root, 'release', 'verify', 'v1.1.0')
    expect(verified).toMatchObject({ status: 0, stdout: expect.stringMatching(built) })
    const stated = async (home: Shipway) =>
      (JSON.parse((await home.call(root, 'release', 'show', 'v1.1.0', '--json')).stdout) as { attestations: unknown })
        .attestations
    expect(await stated(elsewhere)).toEqual(await stated(shipway))
    expect(await stated(shipway)).toMatchObject([
      {
        predicateType: 'https://slsa.dev/provenance/v1',
        predicate: {
          buildDefinition: {
            resolvedDependencies: [
              { digest: { gitCommit: repository.git('rev-parse', 'HEAD') } },
              { uri: '.github/workflows/ci.yml', digest: { sha256: sha256(workflow) } },
            ],
          },
        },
      },
    ])
  })

  test('brings the reports that prove it along: the gates of another home say the same of it', async () => {
    const gated = (artifact: string) => `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps: [{ uses: actions/checkout@v4 }, { uses: actions/upload-artifact@v4, with: { name: reports, path: ${artifact} } }]
`
    const gates = `name: shop
release: { files: ['app/**'] }
environments: { live: { targets: [./targets/live], gates: { tests: { minimum: 1 }, coverage: { changed: 80 } } } }
`
    const lcov = (hits: number) => `SF:app/a.js\nDA:1,${hits}\nend_of_record\n`
    const junit = (red: number) =>
      `<testsuite tests="1" failures="${red}"><testcase name="a" classname="b">${red === 0 ? '' : '<failure/>'}</testcase></testsuite>`
    const cases = [
      { tag: 'v1.0.0', red: 0, hits: 1, status: 0 },
      { tag: 'v1.1.0', red: 1, hits: 1, status: 3 },
      { tag: 'v1.2.0', red: 0, hits: 0, status: 3 },
    ]
    using repository = new Repository({ '.github/workflows/ci.yml': gated('proof'), 'app/a.js': 'begin()\n' })
    await using shipway = new Shipway()
    await using elsewhere = new Shipway()
    const { root } = repository
    for (const { tag, red, hits, status } of cases) {
      const proof = { 'proof/junit.xml': junit(red), 'proof/lcov.info': lcov(hits) }
      repository.commit({ 'shipway.yml': gates, 'app/a.js': `say('${tag}')\n`, ...proof }, tag)
      repository.git('tag', tag)
      expect((await shipway.call(root, 'run', 'push', '--ref', tag)).status).toBe(0)
      const file = path.join(shipway.home, `${tag}.zip`)
      expect((await shipway.call(root, 'release', 'export', tag, '-o', file)).status).toBe(0)
      expect((await elsewhere.call(root, 'release', 'import', file)).status).toBe(0)

      const here = await shipway.call(root, 'deploy', 'live', tag, '--yes')
      const there = await elsewhere.call(root, 'deploy', 'live', tag, '--yes')
      expect([tag, here.status, there.status]).toEqual([tag, status, status])
    }
  })

  test('whose file was changed on the way, or in the store, is refused or found', async () => {
    using repository = new Repository({
      '.github/workflows/ci.yml': workflow,
      'shipway.yml': rules('info'),
      'app/a.txt': 'a text that is long enough to be found in a blob\n',
    })
    await using shipway = new Shipway()
    await using elsewhere = new Shipway()
    const { root } = repository
    expect((await shipway.call(root, 'run', 'push')).status).toBe(0)
    const file = path.join(shipway.home, 'carried.zip')
    expect((await shipway.call(root, 'release', 'export', 'latest', '-o', file)).status).toBe(0)

    const bytes = readFileSync(file)
    for (const cut of [bytes.subarray(0, bytes.length / 2), Buffer.from('no zip at all'), Buffer.alloc(0)]) {
      writeFileSync(file, cut)
      const refused = await elsewhere.call(root, 'release', 'import', file)
      expect(refused.status).toBe(2)
      expect(refused.stderr).toContain('RELEASE_IMPORT_INVALID')
    }

    const blob = filesBelow(path.join(shipway.home, 'blobs')).find((name) =>
      readFileSync(name, 'utf8').includes('long enough'),
    )
    writeFileSync(blob ?? '', 'another text\n')
    const verified = await shipway.call(root, 'release', 'verify', 'latest')
    expect(verified.status).toBe(1)
    expect(verified.stdout).toContain('✗ app/a.txt: damaged')

    const damaged = path.join(shipway.home, 'damaged.zip')
    // Of another size, of the same one, and gone.
    const contents = ['another text\n', 'a text that is long enough to be lost! in a blob\n', undefined]
    for (const content of contents) {
      if (content === undefined) rmSync(blob ?? '')
      else writeFileSync(blob ?? '', content)
      const refused = await shipway.call(root, 'release', 'export', 'latest', '-o', damaged)
      expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining('RELEASE_CONTENT_DAMAGED') })
    }
    expect(readdirSync(shipway.home).filter((name) => name.startsWith('damaged.zip'))).toEqual([])
  })

  test('is read from plain files and written to them: a pipe never ends, a device is never full', async () => {
    using repository = new Repository({ 'shipway.yml': rules('info'), 'app/a.txt': 'a\n' })
    await using shipway = new Shipway()
    const { root } = repository
    const pipe = path.join(shipway.home, '..', `${path.basename(shipway.home)}.pipe`)
    execFileSync('mkfifo', [pipe])
    onTestFinished(() => rmSync(pipe, { force: true }))
    expect((await shipway.call(root, 'release', 'create', '--version', 'v1.0.0')).status).toBe(0)
    for (const [code, ...call] of [
      ['FILE_UNREADABLE', 'create', '--version', 'v1.1.0', '--file', `app/b=${pipe}`],
      ['FILE_UNREADABLE', 'create', '--version', 'v1.1.0', '--file', 'app/b=/dev/zero'],
      ['FILE_UNREADABLE', 'create', '--version', 'v1.1.0', '--report', `tests=${pipe}`],
      ['FILE_UNREADABLE', 'import', pipe],
      ['EXPORT_UNWRITABLE', 'export', 'v1.0.0', '--force', '-o', pipe],
      ['FLAG_INVALID', 'export', 'v1.0.0', '-o', '-'],
    ]) {
      const refused = await shipway.call(root, 'release', ...call)
      expect([call, refused.status, refused.stderr]).toEqual([call, 2, expect.stringContaining(code ?? '')])
    }
    expect(lstatSync(pipe).isFIFO()).toBe(true)
  })
})
