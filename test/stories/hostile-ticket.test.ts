import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'

/** Tickets that one agent finds in its inbox. */
const ticketsCount = 150
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const digest = sha256('no such thing')

/** One sound request of each kind; none of them can be granted here, so that nothing but their own faults is told. */
const sound = (repository: Repository): readonly object[] => {
  const place = { application: 'shop', environment: 'live' }
  const event = { name: 'watch', ref: 'refs/heads/main', sha: repository.git('rev-parse', 'HEAD'), payload: {} }
  const values = { vars: {}, env: {}, secretNames: [], platforms: {}, workflows: ['ci.yml'], matrix: [] }
  const run = { application: 'shop', repositoryName: 'a/shop', repository: repository.root, actor: 'ada', dirty: false }
  return [
    { kind: 'run', ...run, event, ...values },
    { kind: 'rerun', run: 'run_0', scope: { kind: 'job', job: 'build' }, secretNames: [] },
    {
      kind: 'deploy',
      ...place,
      mode: 'deploy',
      release: 'latest',
      reason: 'x',
      repository: repository.root,
      plan: 'a',
    },
    { kind: 'decision', decision: 'approve', subject: 'dep_0', environment: 'live', plan: 'a', reason: 'x' },
    { kind: 'environment', action: 'lock', ...place, environment: 'nowhere', reason: 'x', until: 1 },
    { kind: 'cancel', subject: 'run_0', reason: 'x' },
    { kind: 'release', action: 'import', application: 'shop', release: digest, attestations: [digest], reports: [] },
    { kind: 'backup', ...place, reason: 'x' },
    { kind: 'restore', ...place, backup: 'latest', reason: 'x', isUnsaved: true },
  ]
}

/** Stands for a list in a list in a list, which only the text of a ticket can have. */
const deep = 'deep'
const nested = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
const nasty = [
  '',
  '\0',
  '\ud800',
  '..',
  '../../tmp/x',
  '--upload-pack=x',
  '-1',
  'a\nb',
  '__proto__',
  'x'.repeat(70_000),
]
const odd = fc.oneof(
  fc.constantFrom<unknown>(...nasty, -1, 1e308, 0.5, null, true, [], {}, [null], { kind: 'all' }, deep),
  fc.jsonValue(),
)

/** The same with one place, at any depth, taken out, filled with something else, or with a field more. */
function spoil(
  value: unknown,
  path: readonly number[],
  change: { readonly how: number; readonly odd: unknown },
): unknown {
  const [place = 0, ...rest] = path
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0 || path.length === 0)
    return change.odd
  const keys = Object.keys(value)
  const key = keys[place % keys.length] ?? ''
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === key ? spoil(item, rest, change) : item))
  if (change.how === 0) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
  if (change.how === 1) return { ...value, more: change.odd }
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, name === key ? spoil(item, rest, change) : item]),
  )
}

test('Any JSON as a ticket is put aside or refused by name, and the agent goes on', async () => {
  using repository = new Repository({
    'shipway.yml': 'name: shop\nenvironments: { live: { targets: [./place] } }\n',
    '.github/workflows/ci.yml': "on: push\njobs: { build: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] } }\n",
  })
  const spoiled = fc
    .tuple(fc.constantFrom(...sound(repository)), fc.array(fc.nat(20), { minLength: 1, maxLength: 3 }), fc.nat(5), odd)
    .map(([request, place, how, value]) => spoil(request, place, { how, odd: value }))
  const body = fc.record(
    {
      request: fc.oneof({ weight: 9, arbitrary: spoiled }, { weight: 1, arbitrary: odd }),
      by: odd,
      at: odd,
      how: fc.nat(9),
    },
    { noNullPrototype: true },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(body, { minLength: ticketsCount, maxLength: ticketsCount }), async (bodies) => {
      await using shipway = new Shipway()
      const inbox = path.join(shipway.home, 'inbox')
      mkdirSync(inbox, { recursive: true })
      for (const [index, { request, by, at, how }] of bodies.entries()) {
        const id = `tk_${String(index).padStart(26, '0')}`
        const payload = JSON.stringify({
          id,
          createdAt: how === 0 ? at : 0,
          requestedBy: how === 1 ? by : 'ada',
          ...(how === 2 ? { origin: { kind: 'machine', login: by, host: at } } : {}),
          request,
        }).replaceAll(`"${deep}"`, nested)
        const envelope = {
          schema: 'shipway.ticket/1',
          id,
          priority: 'P2',
          payload: Buffer.from(payload).toString('base64'),
          digest: sha256(payload),
          signatures: how === 3 ? by : [],
        }
        const file = JSON.stringify(envelope).replaceAll(`"${deep}"`, nested)
        writeFileSync(path.join(inbox, `P2-20260101T000000.000Z-${id}.json`), file)
      }

      const agent = await shipway.call(repository.root, 'agent', '--until-quiet')

      expect(agent.status).toBe(0)
      expect([readdirSync(inbox), readdirSync(path.join(shipway.home, 'processing'))]).toEqual([[], []])
      const aside = path.join(shipway.home, 'quarantine')
      const why = readdirSync(aside).filter((name) => name.endsWith('.why.json'))
      for (const name of why)
        expect(JSON.parse(readFileSync(path.join(aside, name), 'utf8'))).toEqual({
          why: expect.stringMatching(/^[^\0]{10,}$/),
        })
      await using store = await openSqlite({ path: path.join(shipway.home, 'state.db'), readOnly: true })
      const rows = await store.query<{ id: string; outcome: string }>('select id, outcome from ticket')
      expect(rows.length + why.length).toBe(ticketsCount)
      const outcomes = rows.map(({ outcome }) => JSON.parse(outcome) as { kind: string; error?: { code: string } })
      for (const outcome of outcomes) {
        expect(outcome.kind === 'accepted' ? 'accepted' : outcome.error?.code).toMatch(/^accepted$|^[A-Z]+(_[A-Z]+)+$/)
      }
      expect((await shipway.call(repository.root, 'audit', '--verify')).status).toBe(0)
    }),
    { numRuns: 1, endOnFailure: true },
  )
})
