/** Registries with other manners than a password: tokens for one repository, as GHCR and Docker Hub give them, and one behind a proxy that changes things. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sharedDocker } from '../rig/docker.ts'
import { startLyingProxy } from '../rig/lying-proxy.ts'
import { startRegistry } from '../rig/registry.ts'
import type { Registry } from '../rig/registry.ts'
import { RunnerRig, messagesOf } from '../rig/runner.ts'
import type { EndedJob } from '../rig/runner.ts'
import { requireSystem } from '../rig/system.ts'
import { tinyImage } from '../rig/tiny-image.ts'
import { startTokenServer } from '../rig/token-server.ts'
import type { TokenServer } from '../rig/token-server.ts'

const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : await requireSystem(['docker-registry', 'openssl'])
const mark = randomUUID().slice(0, 8)
const base = `tiny-registry-${mark}:1`

describe.skipIf(missing !== undefined)(`a registry ${missing ?? ''}`, { tags: ['slow'] }, () => {
  let folder: string
  let tokens: TokenServer
  let registry: Registry
  let plain: Registry

  beforeAll(async () => {
    if ('missing' in daemon) return
    folder = mkdtempSync(path.join(tmpdir(), 'shipway-tokens-'))
    await tinyImage(daemon, base, mark)
    tokens = await startTokenServer(folder, [
      { name: 'writer', password: 'may write', actions: ['pull', 'push'] },
      { name: 'reader', password: 'may read', actions: ['pull'] },
    ])
    registry = await startRegistry(tokens.auth)
    plain = await startRegistry()
  })
  afterAll(async () => {
    if ('missing' in daemon) return
    const all = await daemon.docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
    const own = all.split('\n').filter((name) => name.includes(mark))
    if (own.length > 0) await daemon.docker('image', 'rm', '--force', ...own)
    await registry[Symbol.asyncDispose]()
    await plain[Symbol.asyncDispose]()
    await tokens[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  async function push(
    rig: RunnerRig,
    image: string,
    username: string,
    password: string,
    more: Readonly<Record<string, string>> = {},
  ): Promise<EndedJob> {
    if ('missing' in daemon) throw new Error(daemon.missing)
    await daemon.docker('tag', base, image)
    const login = { tags: image, username, password, ...more }
    return rig.run({ steps: [{ id: 'it', uses: 'shipway/push-image@v1', with: login }] })
  }
  const start = () =>
    RunnerRig.start({ pullRetryMs: 10 }, 'missing' in daemon ? {} : { ...daemon.env, PATH: process.env['PATH'] ?? '' })
  const errorsOf = (job: EndedJob) => messagesOf(job.result.annotations, 'error')

  test('that gives tokens takes an image from who may write, and says who may not', async () => {
    await using rig = start()
    const image = `${registry.server}/acme/token-${mark}`

    const writer = await push(rig, `${image}:1`, 'writer', 'may write')
    const reader = await push(rig, `${image}:2`, 'reader', 'may read')
    const stranger = await push(rig, `${image}:3`, 'writer', 'guessed')

    expect(errorsOf(writer)).toEqual([])
    expect(writer.log).toMatch(/The registry has \S+@sha256:[0-9a-f]{64}: read back and compared\./)
    expect(tokens.scopes).toContain(`repository:acme/token-${mark}:pull,push`)
    expect(errorsOf(reader)).toEqual([`The registry ${registry.server} refuses ${image} as reader (401).`])
    expect(errorsOf(stranger)).toEqual([`The registry ${registry.server} refuses ${image} as writer (401).`])
  })

  test('that gives back other bytes than were pushed makes the step red; a tag that somebody has moved is told', async () => {
    await using rig = start()
    await using proxy = await startLyingProxy(plain.server)
    const image = `${proxy.address}/acme/lie-${mark}`
    const { username, password } = plain

    const honest = await push(rig, `${image}:1`, username, password)
    proxy.lie = 'tag'
    const moved = await push(rig, `${image}:2`, username, password)
    proxy.lie = 'bytes'
    const changed = await push(rig, `${image}:3`, username, password)

    const trusting = await push(rig, `${image}:3`, username, password, { 'read-back': 'false' })

    expect(messagesOf(trusting.result.annotations, 'warning')).toEqual([expect.stringContaining('`read-back: false`')])
    expect(trusting.result.conclusion).toBe('success')
    expect([honest, moved, changed].map(({ result }) => result.conclusion)).toEqual(['success', 'success', 'failure'])
    expect(messagesOf(honest.result.annotations, 'warning')).toEqual([])
    expect(messagesOf(moved.result.annotations, 'warning')).toEqual([
      `${image}:2 means sha256:${'0'.repeat(64)} by now: somebody else has pushed it since.`,
    ])
    expect(errorsOf(changed)).toEqual([
      expect.stringMatching(/^The registry has something else as \S+@sha256:\S+ than what was pushed: sha256:/),
    ])
  })
})
