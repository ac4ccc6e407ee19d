import { createHash } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { auditBreak, auditRoot } from '#core/audit/entry.ts'
import type { AuditFact } from '#core/audit/entry.ts'
import { appendAudit, auditAfter, auditHead, listAudit } from '#store/audit.ts'
import { migratedStore, onEveryEngine, startStoreEngines } from '../rig/store.ts'

const engines = await startStoreEngines()
afterAll(() => engines[Symbol.asyncDispose]())

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const seal = { sha256, clock: { now: () => 1_700_000_000_000 } }
const root = { seq: 0, hash: auditRoot }
const fact = (actor: string, environment = 'staging'): AuditFact => ({
  actor,
  action: 'environment.lock',
  application: 'shop',
  environment,
  subject: 'tkt_1',
  detail: { reason: 'a "quoted" reason', until: null },
})

onEveryEngine('The audit', engines, (engine) => {
  test('is one chain, however many write at once', async () => {
    await using driver = await migratedStore(engine)
    await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        driver.transaction((query) => appendAudit(query, seal, fact(`person ${index}`))),
      ),
    )
    const entries = await auditAfter(driver.query, 0, 100)
    expect(entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
    expect(auditBreak(entries, root, sha256)).toBeUndefined()
    expect(await auditHead(driver.query)).toEqual({ seq: 40, hash: entries.at(-1)?.hash })
    const [first] = entries
    expect(auditBreak(entries.slice(1), { seq: 1, hash: first?.hash ?? '' }, sha256)).toBeUndefined()
  })

  test('shows what was changed, taken out or put in its place', async () => {
    await using driver = await migratedStore(engine)
    for (const actor of ['ann', 'bo', 'cy']) {
      await driver.transaction((query) => appendAudit(query, seal, fact(actor)))
    }
    const broken = async () => auditBreak(await auditAfter(driver.query, 0, 100), root, sha256)
    await driver.query(`update audit set actor = 'eve' where seq = 2`)
    expect(await broken()).toEqual({ seq: 2, problem: 'its content is not what was recorded' })
    await driver.query('delete from audit where seq = 2')
    expect(await broken()).toMatchObject({ seq: 2, problem: expect.stringContaining('missing') })
    await driver.query('delete from audit where seq = 3')
    expect(await broken()).toBeUndefined()
    expect((await auditHead(driver.query)).seq).toBe(3)
  })

  test('is listed by who, where and when, newest first', async () => {
    await using driver = await migratedStore(engine)
    for (const [actor, environment] of [
      ['ann', 'staging'],
      ['bo', 'production'],
      ['ann', 'production'],
    ] as const) {
      await driver.transaction((query) => appendAudit(query, seal, fact(actor, environment)))
    }
    const list = async (filter: object) =>
      (await listAudit(driver.query, { limit: 10, ...filter })).map(({ seq }) => seq)
    expect(await list({})).toEqual([3, 2, 1])
    expect(await list({ actor: 'ann', environment: 'production' })).toEqual([3])
    const more: readonly AuditFact[] = [
      fact('ann@laptop'),
      { ...fact('SHA256:abc'), detail: { login: 'ann' } },
      { ...fact('bo'), detail: { reason: '"login":"ann"' } },
      fact('annette@laptop'),
    ]
    for (const one of more) await driver.transaction((query) => appendAudit(query, seal, one))
    expect(await list({ actor: 'ann' })).toEqual([5, 4, 3, 1])
    expect(await list({ actor: 'a%' })).toEqual([])
    expect(await list({ since: 1_700_000_000_001 })).toEqual([])
    expect(await list({ limit: 1 })).toEqual([7])
  })
})
