import { existsSync } from 'node:fs'
import { chmod, mkdir, readFile, readlink, rm, stat, symlink, unlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from '../conformance/deploy-driver.ts'
import { makeOrder, makeRelease } from '../rig/deploy.ts'
import { deploy, directoryRig, directoryStage } from '../rig/driver-stage.ts'
import { startSshd } from '../rig/sshd.ts'
import type { SshServer } from '../rig/sshd.ts'
import { requireSystem } from '../rig/system.ts'

const signal = new AbortController().signal
const silent = (): void => undefined

/** What lies on the target's disk afterwards, wherever it is. */
function files(openStage: () => ReturnType<typeof directoryStage>): void {
  test('what the target has is linked and not sent, whatever its name was', async () => {
    await using rig = await directoryRig(openStage)
    const shared = 'x'.repeat(1000)
    await deploy(rig.driver, await rig.order('v1', { 'a/shared': shared, gone: 'gone' }))
    const next = await rig.order('v2', { 'b/renamed': shared, 'b/twice': shared, new: 'new' })

    const sent = await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)

    expect(sent).toEqual({ sentFiles: 2, sentBytes: 5 })
    const inode = (await stat(join(rig.stage.path, 'current/b/renamed'))).ino
    expect((await stat(join(rig.stage.path, 'current/b/twice'))).ino).toBe(inode)
    expect((await stat(join(rig.stage.path, 'current/b/renamed'))).nlink).toBe(3)
    expect((await stat(join(rig.stage.path, 'current/b/renamed'))).mode & 0o777).toBe(0o444)
    expect(existsSync(join(rig.stage.path, 'current/gone'))).toBe(false)
  })

  test('a kept release that somebody changed on the host is noticed and not linked to', async () => {
    await using rig = await directoryRig(openStage)
    const first = await deploy(rig.driver, await rig.order('v1', { shared: 'right' }))
    const changed = join(rig.stage.path, 'releases', first.release.id.slice(0, 16), 'shared')
    await chmod(changed, 0o644)
    await writeFile(changed, 'wrong')
    const lines: string[] = []
    const next = await rig.order('v2', { shared: 'right' })

    const sent = await rig.driver.prepare(next, (line) => lines.push(line), signal)
    await rig.driver.switch(next, silent, signal)

    expect(sent).toEqual({ sentFiles: 2, sentBytes: 7 })
    expect(lines.join('\n')).toContain('damaged')
    expect(await rig.stage.served('shared')).toBe('right')
  })

  test('a release that runs and is deployed again gets back what somebody changed, removed or put in the place of a file, and it is served all the while', async () => {
    await using rig = await directoryRig(openStage)
    const content = { 'a b/page': 'page', gone: 'gone', kind: 'kind', same: 'same' }
    const first = await deploy(rig.driver, await rig.order('v1', content))
    const folder = join(rig.stage.path, 'releases', first.release.id.slice(0, 16))
    const { mtime, atime } = await stat(join(folder, 'a b/page'))
    await chmod(join(folder, 'a b/page'), 0o644)
    await writeFile(join(folder, 'a b/page'), 'hand')
    await utimes(join(folder, 'a b/page'), atime, mtime)
    await unlink(join(folder, 'gone'))
    await unlink(join(folder, 'kind'))
    await mkdir(join(folder, 'kind/deep'), { recursive: true })
    await writeFile(join(folder, 'own.log'), 'of the program')
    const { ino } = await stat(folder)
    const again = await rig.order('v1', content)

    await deploy(rig.driver, { ...again, release: first.release, expected: first.release.id })
    const sentThen = await rig.driver.prepare({ ...again, release: first.release }, silent, signal)

    const served = await Promise.all(Object.keys(content).map((path) => rig.stage.served(path)))
    expect(served).toEqual(Object.values(content))
    expect(await rig.stage.served('own.log')).toBe('of the program')
    expect((await stat(folder)).ino).toBe(ino)
    expect(sentThen).toEqual({ sentFiles: 0, sentBytes: 0 })
  })

  test('going back to a kept release that somebody changed meanwhile brings what was sealed', async () => {
    await using rig = await directoryRig(openStage)
    const first = await deploy(rig.driver, await rig.order('v1', { page: 'one', shared: 'x' }))
    await deploy(rig.driver, await rig.order('v2', { page: 'two', shared: 'x' }))
    const changed = join(rig.stage.path, 'releases', first.release.id.slice(0, 16), 'page')
    await chmod(changed, 0o644)
    await writeFile(changed, 'hand')
    await utimes(changed, new Date(Date.now() + 60_000), new Date(Date.now() + 60_000))
    const lines: string[] = []
    const back = { ...(await rig.order('v1', { page: 'one', shared: 'x' })), release: first.release }

    await rig.driver.prepare(back, (line) => lines.push(line), signal)
    await rig.driver.switch(back, silent, signal)

    expect(await rig.stage.served('page')).toBe('one')
    expect(lines.join('\n')).toContain('changed there')
  })

  test('a kept release that lost a file is noticed, too', async () => {
    await using rig = await directoryRig(openStage)
    const first = await deploy(rig.driver, await rig.order('v1', { shared: 'right' }))
    await unlink(join(rig.stage.path, 'releases', first.release.id.slice(0, 16), 'shared'))
    const next = await rig.order('v2', { shared: 'right' })

    await deploy(rig.driver, next)

    expect(await rig.stage.served('shared')).toBe('right')
  })

  test('a blob that is damaged on this machine never becomes a release', async () => {
    await using rig = await directoryRig(openStage)
    await deploy(rig.driver, await rig.order('v1'))
    const next = await rig.order('v2', { page: 'original' })
    const digest = next.release.manifest.files.find((file) => file.path === 'page')?.digest ?? ''
    const blob = join(next.blobs, 'sha256', digest.slice(0, 2), digest)
    await writeFile(blob, 'tampered')
    const corrupt = await failureOf(rig.driver.prepare(next, silent, signal))
    await writeFile(blob, 'longer than before')
    const longer = await failureOf(rig.driver.prepare(next, silent, signal))
    await rm(blob)
    const missing = await failureOf(rig.driver.prepare(next, silent, signal))

    expect(corrupt).toMatchObject({ code: 'TARGET_FILES_CORRUPT' })
    expect(corrupt.details.join()).toContain('page')
    expect(longer.code).toBe('RELEASE_CONTENT_DAMAGED')
    expect(missing.code).toBe('RELEASE_CONTENT_DAMAGED')
    const state = await rig.driver.inspect(next, signal)
    expect(state.kind === 'known' && state.releases).toHaveLength(1)
  })

  test('files of any name arrive with their content and their executable bit', async () => {
    await using rig = await directoryRig(openStage)
    const names = [
      'a space',
      ' leading and trailing ',
      `quote's "double" \`back\``,
      '-rf',
      '--',
      '-',
      '*',
      '$(touch pwned)',
      'semi;colon&',
      'back\\slash',
      'ünï/©ödé 🚢',
      'dir with space/-dash',
      '.hidden/...',
      `${'long/'.repeat(60)}file`,
      'OK: OK',
    ]
    const files = Object.fromEntries(names.map((name) => [name, `content of ${name}`]))
    const release = await makeRelease(rig.stage.home, 'v1', {
      ...files,
      'bin/run me': { content: '#!/bin/sh\necho ran\n', mode: 0o755 },
    })
    const order = makeOrder(rig.stage.home, rig.stage.target, release, { restart: "'bin/run me'" })
    const lines: string[] = []
    await rig.driver.prepare(order, silent, signal)
    await rig.driver.switch(order, (line) => lines.push(line), signal)
    await rig.driver.confirm(order, silent, signal)

    for (const name of names) expect(await rig.stage.served(name)).toBe(`content of ${name}`)
    expect(lines.join('\n')).toContain('ran')
    expect(existsSync(join(rig.stage.path, 'pwned'))).toBe(false)
    const again = await makeRelease(rig.stage.home, 'v2', { ...files, more: 'more' })
    const sent = await rig.driver.prepare(makeOrder(rig.stage.home, rig.stage.target, again), silent, signal)
    expect(sent.sentFiles).toBe(1)
  })

  test.for(['new\nline', '../out', '/absolute', 'a//b', 'a/./b', '', '.env', 'RELEASE.json'])(
    'a file with the name %j is refused',
    async (name) => {
      await using rig = await directoryRig(openStage)
      const order = await rig.order('v1', { [name]: 'content' })

      const failure = await failureOf(rig.driver.prepare(order, silent, signal))

      expect(failure.code).toBe('RELEASE_FILE_INVALID')
      expect(existsSync(rig.stage.path)).toBe(false)
    },
  )

  test('settings and secrets lie beside the release, secrets for this account only', async () => {
    await using rig = await directoryRig(openStage)
    const order = await rig.order(
      'v1',
      {},
      { variables: { COLOUR: 'light blue' }, secrets: { TOKEN: 'correct-horse' } },
    )

    await deploy(rig.driver, order)

    const folder = join(rig.stage.path, 'current')
    expect(await readFile(join(folder, '.env'), 'utf8')).toBe("COLOUR='light blue'\n")
    expect(await readFile(join(folder, '.secrets.env'), 'utf8')).toBe('TOKEN=correct-horse\n')
    expect((await stat(join(folder, '.secrets.env'))).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(join(folder, 'RELEASE.json'), 'utf8'))).toMatchObject({
      id: order.release.id,
      version: 'v1',
      environment: 'staging',
    })
  })

  test('the same release with new settings goes back to the old settings', async () => {
    await using rig = await directoryRig(openStage)
    const restart = 'echo "$COLOUR" >> "$SHIPWAY_PATH/colours"'
    await deploy(rig.driver, await rig.order('v1', {}, { variables: { COLOUR: 'red' }, restart }))
    const next = await rig.order('v1', {}, { variables: { COLOUR: 'blue' }, secrets: { NEW: 'a-new-secret' }, restart })
    await rig.driver.prepare(next, silent, signal)
    await rig.driver.switch(next, silent, signal)
    expect(await rig.stage.served('.env')).toBe('COLOUR=blue\n')

    await rig.driver.revert(next, 'not healthy', silent, signal)

    expect(await rig.stage.served('.env')).toBe('COLOUR=red\n')
    expect(await rig.stage.served('.secrets.env')).toBeUndefined()
    expect(await readFile(join(rig.stage.path, 'colours'), 'utf8')).toBe('red\nblue\nred\n')
  })

  test('something else in the place of "current" is never touched', async () => {
    await using rig = await directoryRig(openStage)
    await mkdir(join(rig.stage.path, 'elsewhere'), { recursive: true })
    await symlink('elsewhere', join(rig.stage.path, 'current'))
    const order = await rig.order('v1')

    const state = await rig.driver.inspect(order, signal)
    await rig.driver.prepare(order, silent, signal)
    const failure = await failureOf(rig.driver.switch(order, silent, signal))

    expect(state).toMatchObject({ kind: 'unknown' })
    expect(failure.code).toBe('TARGET_OCCUPIED')
    expect(await readlink(join(rig.stage.path, 'current'))).toBe('elsewhere')
  })

  test('a folder of another environment is refused', async () => {
    await using rig = await directoryRig(openStage)
    await deploy(rig.driver, await rig.order('v1'))

    const failure = await failureOf(
      rig.driver.prepare(await rig.order('v2', {}, { environment: 'prod' }), silent, signal),
    )

    expect(failure.code).toBe('TARGET_OWNED')
    expect(failure.message).toContain('hello staging')
  })

  test('a place that cannot be a folder is not writable', async () => {
    await using rig = await directoryRig(openStage)
    await mkdir(rig.stage.home, { recursive: true })
    await writeFile(rig.stage.path, 'a file')

    const failure = await failureOf(rig.driver.prepare(await rig.order('v1'), silent, signal))

    expect(failure.code).toBe('TARGET_NOT_WRITABLE')
    expect(failure.hint).toContain('mkdir -p')
  })
}

describe('files: a folder on this machine', () => {
  files(() => directoryStage())
})

const missing = await requireSystem(['openssh-server', 'openssh-client'])
describe.skipIf(missing !== undefined)(`files over ssh ${missing ?? ''}`, () => {
  let sshd: SshServer
  beforeAll(async () => {
    sshd = await startSshd()
  })
  afterAll(() => sshd[Symbol.asyncDispose]())

  files(() => directoryStage(sshd))
})
