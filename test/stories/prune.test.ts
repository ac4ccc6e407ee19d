import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

const upload = (name: string, days: number): string =>
  `{ uses: actions/upload-artifact@v4, with: { name: ${name}, path: out/${name}.txt, retention-days: ${days} } }`
const workflow = `on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir out; for n in short long; do echo "$n $GITHUB_RUN_NUMBER" > out/$n.txt; done
      - ${upload('short', 1)}
      - ${upload('long', 0)}
`
const files = {
  '.github/workflows/ci.yml': workflow,
  'shipway.yml': `name: shop\nrelease: { files: ['app/**'] }\nenvironments: { live: { targets: [./targets/live] } }\n`,
  'app/a.txt': 'released\n',
}
const dayMs = 86_400_000

/** A home in which much time has passed: runs ended, and files were last touched, so many days before. */
class OldHome {
  readonly #home: string

  constructor(home: string) {
    this.#home = home
  }

  age(runNumber: number, days: number): string {
    using store = new DatabaseSync(path.join(this.#home, 'state.db'))
    const row = store
      .prepare('update run set finished_at = finished_at - ? where number = ? returning id')
      .get(days * dayMs, runNumber)
    const id = String(row?.['id'])
    const folder = path.join(this.#home, 'runs', id, 'artifacts')
    for (const name of readdirSync(folder)) this.#age(path.join(folder, name), days)
    return id
  }

  ageDeployments(days: number): void {
    using store = new DatabaseSync(path.join(this.#home, 'state.db'))
    store.prepare('update deployment set finished_at = finished_at - ?').run(days * dayMs)
  }

  ageBlobs(days: number): void {
    for (const digest of this.blobs()) this.#age(this.blobPath(digest), days)
  }

  /** Contents that nobody names. */
  addOrphan(text: string, days: number): string {
    const digest = digestOf(text)
    mkdirSync(path.dirname(this.blobPath(digest)), { recursive: true })
    writeFileSync(this.blobPath(digest), text)
    this.#age(this.blobPath(digest), days)
    return digest
  }

  /** A plan that somebody was shown. */
  addPlan(days: number): string {
    const file = path.join(this.#home, 'plans', `${digestOf(String(days))}.json`)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, '{}')
    this.#age(file, days)
    return file
  }

  blobs(): readonly string[] {
    const root = path.join(this.#home, 'blobs/sha256')
    return readdirSync(root).flatMap((folder) =>
      statSync(path.join(root, folder)).isDirectory() ? readdirSync(path.join(root, folder)) : [],
    )
  }

  blobPath(digest: string): string {
    return path.join(this.#home, 'blobs/sha256', digest.slice(0, 2), digest)
  }

  #age(file: string, days: number): void {
    const then = (Date.now() - days * dayMs) / 1000
    utimesSync(file, then, then)
  }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Run 1, long ago, with a release that is nowhere; run 2, some days ago. */
async function oldHome(repository: Repository, shipway: Shipway): Promise<{ old: OldHome; ids: readonly string[] }> {
  repository.git('tag', 'v1.0.0')
  expect((await shipway.call(repository.root, 'run', 'push', '--ref', 'v1.0.0')).status).toBe(0)
  expect((await shipway.call(repository.root, 'run', 'push')).status).toBe(0)
  const old = new OldHome(shipway.home)
  old.ageBlobs(100)
  return { old, ids: [old.age(1, 100), old.age(2, 5)] }
}

describe('shipway doctor --prune', { tags: ['slow'] }, () => {
  test('removes old runs, artifacts whose days are over and what nobody names, and nothing else; a dry run says so before', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    const { old, ids } = await oldHome(repository, shipway)
    const orphan = old.addOrphan('orphan', 100)
    const young = old.addOrphan('young', 0)
    const plans = [old.addPlan(40), old.addPlan(20)]
    const call = (...args: readonly string[]) => shipway.call(repository.root, 'doctor', '--prune', ...args, '--json')
    const expected = { runs: [ids[0]], artifacts: [{ run: ids[1], name: 'short' }], blobs: 4 }

    const before = old.blobs().toSorted()
    expect(JSON.parse((await call('--dry-run')).stdout)).toMatchObject({ ...expected, dryRun: true })
    expect(old.blobs().toSorted()).toEqual(before)
    expect(JSON.parse((await call()).stdout)).toMatchObject({ ...expected, dryRun: false })

    expect(existsSync(path.join(shipway.home, 'runs', ids[0] ?? ''))).toBe(false)
    const kept = [digestOf('long 2\n'), digestOf('released\n'), young]
    for (const digest of kept) expect(existsSync(old.blobPath(digest)), digest).toBe(true)
    for (const text of ['short 1\n', 'long 1\n', 'short 2\n'])
      expect(existsSync(old.blobPath(digestOf(text))), text).toBe(false)
    expect(existsSync(old.blobPath(orphan))).toBe(false)
    expect(plans.map((file) => existsSync(file))).toEqual([false, true])
    expect((await shipway.call(repository.root, 'release', 'verify', 'v1.0.0')).status).toBe(0)
    expect(JSON.parse((await call()).stdout)).toMatchObject({ runs: [], artifacts: [], blobs: 0 })
    expect(await shipway.call(repository.root, 'logs', '1')).toMatchObject({
      stderr: expect.stringContaining('--prune'),
    })
  })

  test('forgets former secrets of an environment that is no more, when nobody has deployed there for long, and keeps those of the others', async () => {
    const environment = (name: string) => `  ${name}: { targets: [./targets/${name}], secrets: [API_KEY] }\n`
    const rules = (...names: readonly string[]) =>
      `name: shop\nrelease: { files: [app.txt] }\nenvironments:\n${names.map(environment).join('')}`
    using repository = new Repository({ 'shipway.yml': rules('live', 'trial'), 'app.txt': 'one\n' })
    await using shipway = new Shipway()
    const call = async (...args: readonly string[]) => {
      const { status, stdout, stderr } = await shipway.call(repository.root, ...args)
      expect(status, stdout + stderr).toBe(0)
      return stdout
    }
    mkdirSync(path.join(shipway.home, 'secrets/shop'), { recursive: true, mode: 0o700 })
    for (const name of ['live', 'trial'])
      writeFileSync(path.join(shipway.home, `secrets/shop/${name}.json`), `{"API_KEY":"key-of-${name}"}`, {
        mode: 0o600,
      })
    await call('release', 'create', '--version', 'v1.0.0')
    for (const name of ['live', 'trial']) await call('deploy', name, 'v1.0.0')
    const former = (name: string) => existsSync(path.join(shipway.home, `secrets/versions/shop/${name}.json`))
    const prune = async (...args: readonly string[]) =>
      (JSON.parse(await call('doctor', '--prune', '--json', ...args)) as { formerSecrets: unknown }).formerSecrets
    const old = new OldHome(shipway.home)

    old.ageDeployments(100)
    expect(await prune()).toEqual([])
    repository.commit({ 'shipway.yml': rules('live') })
    await call('deploy', 'live', 'v1.0.0')
    expect(await prune('--older-than', '101')).toEqual([])
    const expected = [{ application: 'shop', environment: 'trial', values: 1 }]
    expect(await prune('--dry-run')).toEqual(expected)
    expect([former('live'), former('trial')]).toEqual([true, true])
    const said = await call('doctor', '--prune', '--dry-run')
    expect(said).toContain('secrets\tshop\ttrial')
    expect(said).not.toContain('key-of')
    expect(await prune()).toEqual(expected)

    expect([former('live'), former('trial')]).toEqual([true, false])
    expect(await prune()).toEqual([])
  })

  test('that is killed in the middle has removed nothing that is needed, and the next one ends it', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    const { old } = await oldHome(repository, shipway)
    for (let at = 0; at < 4000; at += 1) old.addOrphan(`orphan ${at}`, 100)
    const before = old.blobs().length
    const needed = ['short 2\n', 'long 2\n', 'released\n'].map(digestOf)

    const call = shipway.start(repository.root, 'doctor', '--prune', '--older-than', '90')
    const folder = path.dirname(old.blobPath(old.blobs()[0] ?? ''))
    const first = readdirSync(folder).length
    for (const end = Date.now() + 60_000; readdirSync(folder).length === first && Date.now() < end;) await setTimeout(1)
    call.child.kill('SIGKILL')
    await call.ended
    const between = old.blobs().length
    expect(between).toBeLessThan(before)
    for (const digest of needed.slice(1)) expect(existsSync(old.blobPath(digest))).toBe(true)
    expect((await shipway.call(repository.root, 'release', 'verify', 'v1.0.0')).status).toBe(0)

    expect((await shipway.call(repository.root, 'doctor', '--prune')).status).toBe(0)
    expect(old.blobs().toSorted()).toEqual(expect.arrayContaining(needed.slice(1)))
    expect(old.blobs().length).toBeLessThan(20)
    expect(readdirSync(path.join(shipway.home, 'tmp'))).toEqual([])
    expect((await shipway.call(repository.root, 'release', 'verify', 'v1.0.0')).status).toBe(0)
  })

  test('leaves a home alone whose agent lives: that one clears it out by itself when nothing goes on', async () => {
    using repository = new Repository(files)
    await using shipway = new Shipway()
    const { old, ids } = await oldHome(repository, shipway)
    const agent = shipway.start(repository.root, 'agent')
    await agent.prints('agent of')
    const gone = path.join(shipway.home, 'runs', ids[0] ?? '')
    for (const end = Date.now() + 60_000; existsSync(gone) && Date.now() < end;) await setTimeout(20)
    expect(existsSync(gone)).toBe(false)
    expect(await shipway.call(repository.root, 'doctor', '--prune')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('AGENT_RUNNING'),
    })
    expect(existsSync(old.blobPath(digestOf('released\n')))).toBe(true)
  })

  test('and its flags: --dry-run and --older-than mean nothing without it', async () => {
    await using shipway = new Shipway()
    const wrong = await shipway.call(shipway.home, 'doctor', '--dry-run')
    expect(wrong).toMatchObject({ status: 2, stderr: expect.stringContaining('--dry-run needs --prune') })
    expect((await shipway.call(shipway.home, 'doctor', '--prune')).stderr).toContain('removed: files of 0 runs')
  })
})
