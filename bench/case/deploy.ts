import { randomBytes } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { systemClock } from '#adapters/clock/system-clock.ts'
import { openShell } from '#adapters/host-shell/open-shell.ts'
import type { HostTarget } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import { directoryDriver } from '#drivers/directory/driver.ts'
import { makeOrder, makeRelease } from '../../test/rig/deploy.ts'
import { startSshd } from '../../test/rig/sshd.ts'
import type { SshServer } from '../../test/rig/sshd.ts'
import { findProgram, requireSystem } from '../../test/rig/system.ts'
import type { BenchCase } from '../bench-case.ts'
import type { BenchWorld } from '../bench-world.ts'
import { compare } from '../compare.ts'
import type { Contender } from '../compare.ts'
import { atMost, skipped } from '../row.ts'
import type { Row } from '../row.ts'

const fileCount = 500
const fileBytes = 40_000
/** Files that a usual change touches. */
const changedCount = 5
const signal = new AbortController().signal
const silent = (): void => undefined

/**
 * Deployments over a real sshd on loopback beside what a person would type. Every sample of both sides begins without a
 * connection; ours is a whole deployment: inspect, prepare, switch, confirm, digests checked on the host, data on the
 * disk. rsync does less: it compares times and sizes and does not sync.
 */
export const deployOverSsh: BenchCase = {
  name: 'deploy',
  measure: async (world) => {
    const missing = await requireSystem(['openssh-server', 'openssh-client'])
    if (missing !== undefined) return [skipped('deployment over ssh', '', missing)]
    await using sshd = await startSshd([])
    return [await rollback(sshd, world), ...(await uploads(sshd, world))]
  },
}

async function rollback(sshd: SshServer, world: BenchWorld): Promise<Row> {
  const home = join(world.folder, 'deploy-home')
  const target = sshd.target(join(sshd.folder, 'rollback'))
  const releases = [
    await makeRelease(home, 'v1', { 'a.txt': 'one' }),
    await makeRelease(home, 'v2', { 'a.txt': 'two' }),
  ] as const
  for (const release of releases) await deploy(home, [target], release)
  let turn = 0
  const ours: Contender = { name: 'rollback', run: () => deploy(home, [target], releases[turn++ % 2] ?? releases[0]) }
  const link = ['ln', '-sfn', 'releases/x', join(sshd.folder, 'link')]
  const reference: Contender = {
    name: 'ssh host ln -sfn',
    run: async () => void (await world.run('ssh', [...sshFlags(target), target.host, ...link])),
  }
  const note = 'inspect, prepare, switch and confirm; no connection before, on either side'
  return atMost(1.5, 'rollback to a kept release', await compare(ours, reference, world.rounds), note)
}

async function uploads(sshd: SshServer, world: BenchWorld): Promise<readonly Row[]> {
  const bar = '≤ 1.2 ×'
  if (findProgram('rsync') === undefined) return [skipped('deploy 500 files, 20 MB', bar, 'rsync is not installed')]
  const rows: Row[] = []
  for (const hosts of [1, 3, 10]) {
    const what = `${fileCount} files, 20 MB, to ${hosts} host${hosts === 1 ? '' : 's'}`
    rows.push(atMost(1.2, `first deploy of ${what}`, await compareUpload(sshd, world, { hosts, changed: fileCount })))
    rows.push(
      atMost(
        1.2,
        `${changedCount} changed of ${what}`,
        await compareUpload(sshd, world, { hosts, changed: changedCount }),
      ),
    )
  }
  return rows
}

/** Each sample changes the same files for both sides before its clock starts. */
async function compareUpload(sshd: SshServer, world: BenchWorld, load: { hosts: number; changed: number }) {
  const name = `${load.hosts}x${load.changed}`
  const home = join(world.folder, `deploy-home-${name}`)
  const tree = join(world.folder, `tree-${name}`)
  const files = Object.fromEntries(
    Array.from({ length: fileCount }, (_, index) => [fileName(index), randomBytes(fileBytes)]),
  )
  const isFirst = load.changed === fileCount
  const places = Array.from({ length: load.hosts }, (_, index) => join(sshd.folder, `${name}-${index}`))
  let version = 0
  const change = async (): Promise<Release> => {
    version++
    for (let index = 0; index < load.changed; index++) files[fileName(index)] = randomBytes(fileBytes)
    const contents = Object.entries(files).map(([path, content]) => [path, { content, mode: 0o644 }] as const)
    return makeRelease(home, `v${version}`, Object.fromEntries(contents))
  }
  const writeTree = async (): Promise<void> => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(join(tree, path, '..'), { recursive: true })
      await writeFile(join(tree, path), content)
    }
  }

  await deploy(
    home,
    places.map((place) => sshd.target(place)),
    await change(),
  )
  await writeTree()
  await Promise.all(places.map((place) => rsync(sshd, world, { tree, place: `${place}-rsync`, version: 0 })))
  const ours: Contender = {
    name: 'shipway',
    run: async () => {
      const release = await change()
      const fresh = isFirst ? `/${version}` : ''
      const targets = places.map((place) => sshd.target(`${place}${fresh}`))
      const started = performance.now()
      await deploy(home, targets, release)
      const elapsed = performance.now() - started
      if (isFirst) for (const target of targets) await rm(target.path, { recursive: true })
      return elapsed
    },
  }
  let count = 0
  const reference: Contender = {
    name: 'rsync --link-dest, in parallel',
    run: async () => {
      await change()
      await writeTree()
      count++
      const started = performance.now()
      await Promise.all(places.map((place) => rsync(sshd, world, { tree, place: `${place}-rsync`, version: count })))
      return performance.now() - started
    },
  }
  return compare(ours, reference, world.rounds)
}

/** Content of earlier rounds is linked as far as it is the same; a first deploy has nothing to link to. */
async function rsync(sshd: SshServer, world: BenchWorld, job: { tree: string; place: string; version: number }) {
  const target = sshd.target(job.place)
  const login = ['ssh', ...sshFlags(target)].join(' ')
  await mkdir(job.place, { recursive: true })
  const link = [`--link-dest=${job.place}/${job.version - 1}`]
  const args = ['-a', '-e', login, ...link, `${job.tree}/`, `${target.host}:${job.place}/${job.version}/`]
  await world.run('rsync', args)
}

async function deploy(home: string, targets: readonly HostTarget[], release: Release): Promise<void> {
  await using driver = directoryDriver({ openShell, clock: systemClock })
  await Promise.all(
    targets.map(async (target) => {
      const order = makeOrder(home, target, release, { retain: 3 })
      await driver.inspect(order, signal)
      await driver.prepare(order, silent, signal)
      await driver.switch(order, silent, signal)
      await driver.confirm(order, silent, signal)
    }),
  )
}

function sshFlags(target: ReturnType<SshServer['target']>): readonly string[] {
  const options = [...target.options, 'BatchMode=yes', 'IdentitiesOnly=yes']
  return [...options.flatMap((option) => ['-o', option]), '-p', String(target.port), '-l', target.user ?? 'root']
}

function fileName(index: number): string {
  return `assets/${index % 20}/file-${index}.bin`
}
