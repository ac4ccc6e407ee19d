import { afterAll, expect, test } from 'vitest'
import {
  closePublication,
  insertPublication,
  loadPublication,
  openPublications,
  postponePublication,
} from '#store/publication.ts'
import { migratedStore, onEveryEngine, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const problem = { code: 'FORGE_UNREACHABLE', kind: 'unreachable', message: 'down' } as const
const asked = { release: 'r1', application: 'shop', isForced: false }

onEveryEngine('Releases at a forge', engines, (engine) => {
  test('are asked for once by themselves, and again by a person', async () => {
    await using driver = await migratedStore(engine)
    const { query: q } = driver
    await insertPublication(q, asked, { again: false })
    await insertPublication(q, asked, { again: false })
    expect(await openPublications(q, 9)).toEqual([{ ...asked, state: 'open', tries: 0, nextAt: 0 }])

    await postponePublication(q, 'r1', { nextAt: 7_000_000_000_000, problem })
    expect(await loadPublication(q, 'r1')).toEqual({
      ...asked,
      state: 'open',
      tries: 1,
      nextAt: 7_000_000_000_000,
      problem,
    })

    await closePublication(q, 'r1', { state: 'done', act: 'created', url: 'http://forge/r1' })
    await insertPublication(q, asked, { again: false })
    expect(await openPublications(q, 9)).toEqual([])
    expect(await loadPublication(q, 'r1')).toMatchObject({ state: 'done', act: 'created', url: 'http://forge/r1' })

    await insertPublication(q, { ...asked, isForced: true }, { again: true })
    expect(await openPublications(q, 9)).toMatchObject([{ isForced: true, tries: 0, nextAt: 0 }])
    await closePublication(q, 'r1', { state: 'given-up', problem })
    expect(await loadPublication(q, 'r1')).toMatchObject({ state: 'given-up', problem })
    expect(await loadPublication(q, 'r2')).toBeUndefined()
  })
})
