import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLocalShell } from '#adapters/host-shell/local-shell.ts'
import type { TargetOrder } from '#ports/deploy-driver.ts'
import { failureOf } from '../conformance/deploy-driver.ts'
import { makeOrder, makeRelease, until } from '../rig/deploy.ts'
import { deploy, directoryRig, directoryStage } from '../rig/driver-stage.ts'
import { mountSmallDisk } from '../rig/small-disk.ts'
import { processesWith, startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

/** How often a confirmation and a timer meet. */
const rounds = process.env['SHIPWAY_TEST_LONG'] === 'yes' ? 6 : 3

/** A deployer in a process of its own that has done what was asked when this resolves. */
async function startDeployer(
  order: TargetOrder,
  folder: string,
  last: 'prepare' | 'switch',
  word: string,
): Promise<ChildProcess> {
  const file = join(folder, `${order.deploymentId}.json`)
  await writeFile(file, JSON.stringify(order))
  const program = join(import.meta.dirname, '../rig/deploy-process.ts')
  const child = spawn(process.execPath, [program, file, last], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) if (line.includes(word)) return child
  throw new Error(`the deployer ended before it said "${word}"`)
}

/** What breaks, wherever the target lies: deployers, hosts, disks, time. */
function faults(openStage: () => ReturnType<typeof directoryStage>): void {
  test('a deployer that is killed after the switch: the target goes back by itself', async () => {
    await using rig = await directoryRig(openStage)
    const first = await deploy(rig.driver, await rig.order('v1'))
    const next = await rig.order('v2', {}, { confirmWithinMs: 5000 })
    const deployer = await startDeployer(next, rig.stage.home, 'switch', 'switched')

    deployer.kill('SIGKILL')

    await until('the target has gone back', async () => (await rig.stage.served('version.txt')) === 'v1')
    await until('v1 was started again', async () => (await rig.stage.restarts()).join() === 'v1,v2,v1')
    expect(await rig.driver.inspect(next, signal)).toMatchObject({ current: first.release.id })
    await deploy(rig.driver, await rig.order('v3'))
  })

  test('a deployer that is killed after the switch: another process confirms in time', async () => {
    await using rig = await directoryRig(openStage)
    await deploy(rig.driver, await rig.order('v1'))
    const next = await rig.order('v2')
    const deployer = await startDeployer(next, rig.stage.home, 'switch', 'switched')
    deployer.kill('SIGKILL')

    await rig.driver.confirm(next, silent, signal)

    expect(await rig.driver.inspect(next, signal)).toMatchObject({ version: 'v2' })
    await until('the timer has ended', async () => (await processesWith(next.deploymentId)).length === 0)
  })

  test('a deployer that is killed in the middle of an upload leaves nothing that counts, and can go on', async () => {
    await using rig = await directoryRig(openStage)
    await deploy(rig.driver, await rig.order('v1'))
    const large = randomBytes(1_000_000).toString('hex')
    const next = await rig.order('v2', { large })
    // The blob is a pipe that gives half of itself, so the upload stops in its middle for as long as we like.
    const digest = next.release.manifest.files.find((file) => file.path === 'large')?.digest ?? ''
    const blob = join(next.blobs, 'sha256', digest.slice(0, 2), digest)
    await rm(blob)
    await promisify(execFile)('mkfifo', [blob])
    const deployer = await startDeployer(next, rig.stage.home, 'prepare', 'uploading')
    await using pipe = await open(blob, 'w')
    await pipe.write(large.slice(0, 1_200_000))
    const incoming = join(rig.stage.path, '.shipway/incoming')
    await until('some of it has arrived', () => filesBelow(incoming) > 4)
    deployer.kill('SIGKILL')

    const during = await rig.driver.inspect(next, signal)
    await rm(blob)
    await writeFile(blob, large)
    await deploy(rig.driver, next)

    expect(during).toMatchObject({ version: 'v1' })
    expect(during.kind === 'known' && during.releases).toHaveLength(1)
    expect(await rig.stage.served('large')).toBe(large)
    await until('nothing half is left', () => filesBelow(incoming) === 0)
  })

  test('a confirmation and the timer at the same moment: one of them counts, and the target agrees with it', async () => {
    await using rig = await directoryRig(openStage)
    await deploy(rig.driver, await rig.order('v0'))
    const ends: string[] = []
    for (let round = 1; round <= rounds; round++) {
      const before = (await rig.stage.served('version.txt')) ?? ''
      const next = await rig.order(`v${round}`, {}, { confirmWithinMs: 3000 })
      await rig.driver.prepare(next, silent, signal)
      await rig.driver.switch(next, silent, signal)
      const state = await rig.driver.inspect(next, signal)
      const revertsAt = (state.kind === 'known' && state.pending?.revertsAt) || 0
      // Both act within the same few milliseconds, sometimes one first and sometimes the other.
      await until('its time is over', () => Date.now() >= revertsAt - 60 + (round * 120) / rounds)

      const end = await rig.driver.confirm(next, silent, signal).then(
        () => 'confirmed',
        (error: { code: string }) => error.code,
      )

      ends.push(end)
      await until('no timer is left', async () => (await processesWith(next.deploymentId)).length === 0)
      expect(await rig.stage.served('version.txt')).toBe(end === 'confirmed' ? `v${round}` : before)
      expect(await rig.driver.inspect(next, signal)).not.toHaveProperty('pending')
    }
    expect(ends.every((end) => end === 'confirmed' || end === 'RELEASE_REVERTED')).toBe(true)
  })

  test('a host that was restarted while a switch was pending goes back when it is next asked', async () => {
    await using rig = await directoryRig(openStage)
    await deploy(rig.driver, await rig.order('v1'))
    const next = await rig.order('v2')
    await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)
    const timers = await processesWith(`watch.sh`)
    const mine = await Promise.all(
      timers.map(async (pid) => ((await commandOf(pid)).includes(next.deploymentId) ? [pid] : [])),
    )
    expect(mine.flat().length).toBeGreaterThan(0)
    for (const pid of mine.flat()) process.kill(pid, 'SIGKILL')
    const record = join(rig.stage.path, '.shipway/deployments', next.deploymentId, 'order')
    const [release, before, , ...more] = (await readFile(record, 'utf8')).split(' ')
    await writeFile(record, [release, before, Math.floor(Date.now() / 1000) - 1, ...more].join(' '))
    expect(await rig.stage.served('version.txt')).toBe('v2')

    const state = await rig.driver.inspect(next, signal)

    expect(state).toMatchObject({ version: 'v1' })
    expect(state).not.toHaveProperty('pending')
    expect(await rig.stage.restarts()).toEqual(['v1', 'v2', 'v1'])
    await expect(rig.driver.confirm(next, silent, signal)).rejects.toMatchObject({ code: 'RELEASE_REVERTED' })
  })

  test(
    'whenever everything on the host is killed during a switch, the release before is back in the end',
    { tags: ['slow'] },
    async () => {
      await using rig = await directoryRig(openStage)
      await deploy(rig.driver, await rig.order('v1'))
      const cuts: string[] = []
      for (let round = 0; round < 14; round++) {
        const next = await rig.order('v2', {}, { confirmWithinMs: 1000 })
        await rig.driver.prepare(next, silent, signal)
        await using doomed = rig.stage.open()
        const switching = doomed.switch(next, silent, signal).then(
          () => 'switched',
          () => 'cut',
        )
        const record = join(rig.stage.path, '.shipway/deployments', next.deploymentId)
        // Each round waits for a later trace of the script, then kills it, its timer and its hook at once.
        const traces = ['order', 'new', 'watcher', 'switching', 'hook.log', 'hooked', 'nothing'] as const
        const trace = traces[round % traces.length] ?? 'nothing'
        await Promise.race([switching, until(trace, () => existsSync(join(record, trace))).catch(() => undefined)])
        for (const pid of await processesWith(next.deploymentId)) killNow(pid)
        cuts.push(await switching)

        await until('the target is at rest', async () => {
          const state = await rig.driver.inspect(next, signal)
          return state.kind === 'known' && state.pending === undefined
        })
        expect(await rig.stage.served('version.txt')).toBe('v1')
        const starts = await rig.stage.restarts()
        expect(starts.at(-1)).toBe('v1')
        await rig.driver.revert(next, 'cut', silent, signal)
      }
      expect(cuts).toContain('cut')
      await deploy(rig.driver, await rig.order('v3'))
    },
  )

  test('the lock of a deployment that died is free when its time is over', async () => {
    await using rig = await directoryRig(openStage)
    const dead = await rig.order('v1')
    await rig.driver.prepare(dead, silent, signal)
    const lock = join(rig.stage.path, '.shipway/lock')
    const [deployment, since, , ...who] = (await readFile(lock, 'utf8')).split(' ')
    await writeFile(lock, [deployment, since, Math.floor(Date.now() / 1000) - 1, ...who].join(' '))

    await deploy(rig.driver, await rig.order('v2'))

    const late = await failureOf(rig.driver.switch({ ...dead, expected: dead.release.id }, silent, signal))
    expect(late.code).toBe('DEPLOYMENT_DRIFTED')
  })

  test('the lock of a deployment that has ended keeps no other one away, and what comes late of it does not begin', async () => {
    await using rig = await directoryRig(openStage)
    const dead = await rig.order('v1')
    await rig.driver.prepare(dead, silent, signal)
    const stranger = await rig.order('v2')
    const next = { ...stranger, ended: ['dep_other', dead.deploymentId] }

    expect((await failureOf(rig.driver.prepare(stranger, silent, signal))).code).toBe('TARGET_LOCKED')
    await deploy(rig.driver, next)

    expect((await failureOf(rig.driver.prepare(dead, silent, signal))).code).toBe('RELEASE_REVERTED')
    expect(existsSync(join(rig.stage.path, '.shipway/lock'))).toBe(false)
  })

  test('the lock of a switch that is still open is kept, whoever says that it has ended', async () => {
    await using rig = await directoryRig(openStage)
    const open = await rig.order('v1')
    await rig.driver.prepare(open, silent, signal)
    await rig.driver.switch(open, silent, signal)
    const next = { ...(await rig.order('v2')), ended: [open.deploymentId] }

    expect((await failureOf(rig.driver.prepare(next, silent, signal))).code).toBe('TARGET_LOCKED')

    await rig.driver.confirm(open, silent, signal)
    await deploy(rig.driver, next)
  })

  test('a deployment that is taken back before a fresh target has heard of it takes no lock there later', async () => {
    await using rig = await directoryRig(openStage)
    const late = await rig.order('v1')
    await rig.driver.revert(late, 'the connection was lost', silent, signal)

    expect((await failureOf(rig.driver.prepare(late, silent, signal))).code).toBe('RELEASE_REVERTED')

    await deploy(rig.driver, await rig.order('v2'))
  })

  test('a release before whose own restart fails is back all the same, and that is said; revert tries it again', async () => {
    await using rig = await directoryRig(openStage)
    const flag = join(rig.stage.home, 'broken')
    await deploy(rig.driver, await rig.order('v1', {}, { restart: `[ ! -e '${flag}' ]` }))
    const next = await rig.order('v2')
    await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)
    await mkdir(flag)

    const failure = await failureOf(rig.driver.revert(next, 'not healthy', silent, signal))
    expect(failure.code).toBe('RESTART_FAILED')
    expect(await rig.stage.served('version.txt')).toBe('v1')
    await rm(flag, { recursive: true })

    await rig.driver.revert(next, 'not healthy', silent, signal)
  })

  test('a folder on a read-only file system is not writable', async ({ skip }) => {
    await using rig = await directoryRig(openStage)
    const disk = await mountSmallDisk(rig.stage.path, 'ro')
    if (typeof disk === 'string') return skip(disk)
    await using _ = disk

    const failure = await failureOf(rig.driver.prepare(await rig.order('v1'), silent, signal))

    expect(failure.code).toBe('TARGET_NOT_WRITABLE')
  })

  test('a full disk is said, what runs goes on running, and with space the deployment goes on', async ({ skip }) => {
    await using rig = await directoryRig(openStage)
    const disk = await mountSmallDisk(rig.stage.path, 'size=1m')
    if (typeof disk === 'string') return skip(disk)
    await using _ = disk
    await deploy(rig.driver, await rig.order('v1'))
    const big = await rig.order('v2', { big: randomBytes(2_000_000).toString('hex') })
    const upload = await failureOf(rig.driver.prepare(big, silent, signal))
    await rig.driver.revert(big, 'disk full', silent, signal)

    const small = await rig.order('v3')
    await rig.driver.prepare(small, silent, signal)
    const filler = join(rig.stage.path, 'filler')
    await promisify(execFile)('sh', ['-c', 'cat /dev/zero > "$1" 2>/dev/null || :', 'fill', filler])
    const switching = await failureOf(rig.driver.switch(small, silent, signal))
    const during = await rig.driver.inspect(small, signal)
    await rm(filler)
    await rig.driver.switch(small, silent, signal)
    await rig.driver.confirm(small, silent, signal)

    expect(upload).toMatchObject({ code: 'TARGET_DISK_FULL', retry: 'backoff' })
    expect(switching.code).toBe('TARGET_DISK_FULL')
    expect(during).toMatchObject({ version: 'v1' })
    expect(await rig.stage.served('version.txt')).toBe('v3')
  })

  test('a target whose disk is full goes back by itself all the same', async ({ skip }) => {
    await using rig = await directoryRig(openStage)
    const disk = await mountSmallDisk(rig.stage.path, 'size=1m')
    if (typeof disk === 'string') return skip(disk)
    await using _ = disk
    await deploy(rig.driver, await rig.order('v1'))
    const next = await rig.order('v2', {}, { confirmWithinMs: 4000 })
    await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)
    await promisify(execFile)('sh', [
      '-c',
      'cat /dev/zero > "$1" 2>/dev/null || :',
      'fill',
      join(rig.stage.path, 'filler'),
    ])

    await until('v1 was started again', async () => (await rig.stage.restarts()).join() === 'v1,v2,v1')

    expect(await rig.stage.served('version.txt')).toBe('v1')
    await until('it is at rest', async () => (await processesWith(next.deploymentId)).length === 0)
    expect(await rig.driver.inspect(next, signal)).not.toHaveProperty('pending')
    await expect(rig.driver.confirm(next, silent, signal)).rejects.toMatchObject({ code: 'RELEASE_REVERTED' })
  })

  test('after a deployment no process of it is left', async () => {
    await using rig = await directoryRig(openStage)
    const order = await rig.order('v1', {}, { confirmWithinMs: 600_000 })

    await deploy(rig.driver, order)

    await until('no process is left', async () => (await processesWith(order.deploymentId)).length === 0)
  })
}

describe('faults: a folder on this machine', () => {
  faults(() => directoryStage())

  test('a switch that stood still past its time does not undo what the timer decided', async () => {
    const tools = await mkdtemp(join(tmpdir(), 'shipway-tools-'))
    const gate = join(tools, 'open')
    const waits = `#!/bin/sh\ncase $* in *next*current*) until [ -e '${gate}' ]; do sleep 0.02; done ;; esac\nexec /bin/mv "$@"\n`
    await writeFile(join(tools, 'mv'), waits, { mode: 0o755 })
    await writeFile(gate, '')
    const environment = { ...process.env, PATH: `${tools}:${process.env['PATH'] ?? ''}` }
    await using stage = await directoryStage(undefined, () => openLocalShell(environment))
    await using driver = stage.open()
    const orderOf = async (version: string, confirmWithinMs: number) => {
      const release = await makeRelease(stage.home, version, { 'version.txt': version })
      return makeOrder(stage.home, stage.target, release, { restart: stage.restart, confirmWithinMs })
    }
    await deploy(driver, await orderOf('v1', 60_000))
    const next = await orderOf('v2', 1000)
    await driver.prepare(next, silent, signal)
    await rm(gate)

    const switching = failureOf(driver.switch(next, silent, signal))
    const verdict = join(stage.path, '.shipway/deployments', next.deploymentId, 'reverted')
    await until('the timer has decided', () => existsSync(verdict))
    await writeFile(gate, '')

    expect((await switching).code).toBe('RELEASE_REVERTED')
    expect(await stage.served('version.txt')).toBe('v1')
    await until('the timer has ended', async () => (await processesWith(next.deploymentId)).length === 0)
    expect(await stage.served('version.txt')).toBe('v1')
    expect((await stage.restarts()).every((version) => version === 'v1')).toBe(true)
    await rm(tools, { recursive: true })
  })
})

const missing = await requireSystem(['openssh-server', 'openssh-client'])
describe.skipIf(missing !== undefined)(`faults over ssh ${missing ?? ''}`, () => {
  let sshd: SshServer
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd[Symbol.asyncDispose]())

  faults(() => directoryStage(sshd))
})

function filesBelow(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true }).length
  } catch {
    return 0
  }
}

async function commandOf(pid: number): Promise<string> {
  return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}
