import { describe, expect, test } from 'vitest'
import type { IssuesConfig } from '#core/issue/model.ts'
import { startForge } from '../../../test/rig/forge.ts'
import type { Forge, ForgeKind } from '../../../test/rig/forge.ts'
import { openTracker } from './issue-tracker.ts'

const configOf = (forge: ForgeKind, { url }: Forge): IssuesConfig => ({
  forge,
  repository: 'acme/shop',
  url,
  token: 'FORGE_TOKEN',
  labels: ['bug'],
  from: [],
})
const { signal } = new AbortController()

describe.for(['github', 'gitlab', 'gitea'] as const)('the issues of %s', (kind) => {
  test('are opened with their label, found by what is in their body on whatever page, told more, and closed', async () => {
    await using forge = await startForge(kind)
    const tracker = await openTracker(configOf(kind, forge), forge.token, signal)
    for (let count = 1; count <= 230; count += 1)
      forge.issues.push({ number: count, title: 'other', body: '', labels: [], isOpen: true, comments: [] })

    const number = await tracker.open({ title: 'ci failed', body: '<!-- mark -->\nwhy', labels: ['bug'] })
    expect(forge.issues.at(-1)).toMatchObject({ number, title: 'ci failed', labels: ['bug'], isOpen: true })
    expect(await tracker.find('<!-- mark -->')).toEqual({ number, body: '<!-- mark -->\nwhy', isOpen: true })
    expect(await tracker.find('<!-- other -->')).toBeUndefined()
    await tracker.comment(number, 'again')
    await tracker.close(number)
    expect(forge.issues.at(-1)).toMatchObject({ comments: ['again'], isOpen: false })
    expect(await tracker.find('<!-- mark -->')).toBeUndefined()
    expect((await tracker.load(number))?.isOpen).toBe(false)
    expect(await tracker.load(999)).toBeUndefined()
  })

  test('that cannot be reached are an error that says whether trying again can help', async () => {
    await using forge = await startForge(kind)
    const config = configOf(kind, forge)
    const stranger = await openTracker(config, 'another token', signal)
    await expect(stranger.find('x')).rejects.toMatchObject({ code: 'FORGE_REFUSED', retry: 'never' })
    forge.failing = 503
    const tracker = await openTracker(config, forge.token, signal)
    await expect(tracker.find('x')).rejects.toMatchObject({ code: 'FORGE_UNREACHABLE', retry: 'backoff' })
    await forge[Symbol.asyncDispose]()
    await expect(tracker.find('x')).rejects.toMatchObject({ code: 'FORGE_UNREACHABLE' })
  })
})

test('a pull request of GitHub is no issue', async () => {
  await using forge = await startForge('github')
  const pull = { number: 1, title: 'x', body: 'mark', labels: [], isOpen: true, comments: [], isPullRequest: true }
  forge.issues.push(pull)
  const tracker = await openTracker(configOf('github', forge), forge.token, signal)

  expect(await tracker.find('mark')).toBeUndefined()
  expect(await tracker.load(1)).toBeUndefined()
})
