import { describe, expect, test } from 'vitest'
import type { ForgePlace } from '#core/project/forge-place.ts'
import { startForge } from '../../../test/rig/forge.ts'
import type { Forge, ForgeKind } from '../../../test/rig/forge.ts'
import { openReleaseDesk } from './release-desk.ts'

const placeOf = (forge: ForgeKind, { url }: Forge): ForgePlace => ({
  forge,
  repository: 'acme/shop',
  url,
  token: 'FORGE_TOKEN',
})
const { signal } = new AbortController()
const release = { tag: 'v1.0.0-rc.1', sha: 'a'.repeat(40), title: 'v1.0.0-rc.1', body: 'notes', isPrerelease: true }

describe.for(['github', 'gitlab', 'gitea'] as const)('the releases of %s', (kind) => {
  test('are made at their commit, found by their tag, and changed', async () => {
    await using forge = await startForge(kind)
    const desk = await openReleaseDesk(placeOf(kind, forge), forge.token, signal)
    expect(await desk.find(release.tag)).toBeUndefined()

    const url = await desk.create(release)
    const isPrerelease = kind === 'gitlab' ? undefined : true
    const { tag, sha, title, body } = release
    expect(forge.releases).toMatchObject([{ tag, sha, title, body, isPrerelease: isPrerelease ?? false }])
    const found = await desk.find(tag)
    expect(found).toMatchObject({ title, body, isPrerelease, url })

    await desk.update(found?.key ?? '', { ...release, body: 'other notes' })
    expect((await desk.find(tag))?.body).toBe('other notes')
    expect(forge.releases).toHaveLength(1)
  })

  test('that cannot be reached, or may not be seen, are an error that says whether trying again can help', async () => {
    await using forge = await startForge(kind)
    const place = placeOf(kind, forge)
    const stranger = await openReleaseDesk(place, 'another token', signal)
    await expect(stranger.find('v1.0.0')).rejects.toMatchObject({ code: 'FORGE_REFUSED', retry: 'never' })
    forge.failing = 503
    const desk = await openReleaseDesk(place, forge.token, signal)
    await expect(desk.create(release)).rejects.toMatchObject({ code: 'FORGE_UNREACHABLE', retry: 'backoff' })
  })
})
