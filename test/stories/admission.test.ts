import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { encodeTicket, ticketFileName } from '#core/ticket/envelope.ts'
import type { Ticket } from '#core/ticket/model.ts'
import { holdEnvironment } from '#store/environment.ts'
import { finishTicket, insertTicket, loadTicket } from '#store/ticket.ts'
import { Repository } from '../rig/repository.ts'
import { Shipway } from '../rig/shipway.ts'
import { someTicket } from '../rig/store.ts'

const workflow = `name: Wait
on: push
jobs:
  first: { runs-on: ubuntu-latest, steps: [{ run: 'echo begun; sleep 60' }] }
  second: { needs: first, runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

test('A cancellation that was recorded and not yet carried out is carried out by the next agent', async () => {
  using repository = new Repository({ '.github/workflows/wait.yml': workflow })
  await using shipway = new Shipway()
  const agent = shipway.start(repository.root, 'run', 'push')
  await agent.prints('begun')
  agent.child.kill('SIGKILL')
  await agent.ended

  // What an agent leaves that dies between the commit of the ticket and the run's next step.
  const [run = ''] = readdirSync(path.join(shipway.home, 'runs'))
  const ticket = someTicket('tk_0123456789abcdef', { request: { kind: 'cancel', subject: run, reason: 'Not today.' } })
  const files = openHomeFiles(shipway.home)
  const text = encodeTicket(ticket, sha256)
  files.write(`processing/${ticketFileName(ticket)}`, text)
  await using store = await openSqlite({ path: path.join(shipway.home, 'state.db') })
  await store.transaction(async (query) => {
    await insertTicket(query, ticket, 'digest')
    await finishTicket(query, ticket.id, { kind: 'accepted', subjects: [run] }, run)
  })
  await store.close()

  expect((await shipway.call(repository.root, 'agent', '--until-quiet')).status).toBe(0)

  const { conclusion } = JSON.parse(readFileSync(path.join(shipway.home, 'runs', run, 'run.json'), 'utf8')) as Record<
    string,
    unknown
  >
  expect(conclusion).toBe('cancelled')
  expect(readdirSync(path.join(shipway.home, 'processing'))).toEqual([])
})

test('The secrets of a request that is refused do not stay on the disk', async () => {
  using repository = new Repository({ '.github/workflows/wait.yml': workflow })
  await using shipway = new Shipway()
  shipway.env['API_KEY'] = 'open sesame'

  const { status } = await shipway.call(repository.root, 'run', 'workflow_dispatch', '--secret', 'API_KEY')

  expect(status).not.toBe(0)
  expect(readdirSync(path.join(shipway.home, 'secrets'))).toEqual([])
})

const deliveryFiles = (script: string) => ({
  'shipway.yml': `name: hello
release: { files: [a.txt] }
environments: { staging: { targets: [./targets/staging] } }
`,
  'a.txt': 'one',
  '.github/workflows/ci.yml': `name: Deliver
on: { push: { tags: ['v*'], branches: [main] } }
jobs:
  deliver: { runs-on: ubuntu-latest, steps: [{ run: '${script}' }] }
`,
})

test('A tag that is run again deploys its release again from a step', async () => {
  using repository = new Repository(deliveryFiles('shipway deploy staging'))
  await using shipway = new Shipway()
  repository.git('tag', 'v1.0.0')

  const first = await shipway.call(repository.root, 'run', 'tag')
  const second = await shipway.call(repository.root, 'run', 'tag')

  expect([first.status, second.status]).toEqual([0, 0])
  expect(second.stdout).toContain('run #2 Deliver passed')
})

test('What a step asks for by name is automation too: a hold stops it', async () => {
  using repository = new Repository(deliveryFiles('shipway deploy staging'))
  await using shipway = new Shipway()
  expect((await shipway.call(repository.root, 'run', 'push')).status).toBe(0)
  const database = path.join(shipway.home, 'state.db')
  {
    await using store = await openSqlite({ path: database })
    const place = { application: 'hello', environment: 'staging' }
    await store.transaction((query) => holdEnvironment(query, place, { by: 'ada', reason: 'it was put back' }))
  }
  repository.commit(deliveryFiles('shipway deploy staging --release latest'))

  const held = shipway.start(repository.root, 'run', 'push')
  await held.prints('it was put back')
  held.child.kill('SIGKILL')
  await held.ended

  await using store = await openSqlite({ path: database, readOnly: true })
  expect(await store.query('select conclusion from deployment order by created_at desc limit 1')).toEqual([
    { conclusion: null },
  ])
})

const pushed = (repository: Repository): Ticket['request'] => ({
  kind: 'run',
  application: 'shop',
  repositoryName: 'acme/shop',
  repository: repository.root,
  event: { name: 'push', ref: 'refs/heads/main', sha: repository.git('rev-parse', 'HEAD'), payload: {} },
  actor: 'ada',
  dirty: false,
  vars: {},
  env: {},
  secretNames: [],
  platforms: {},
})
const long = 'x'.repeat(48 * 1024 + 1)
const names = Array.from({ length: 101 }, (_, index) => `S${index}`)

test.for([
  ['a variable that is too long', { vars: { KEY: long } }, undefined, 'VALUE_TOO_LARGE'],
  ['a secret that is too long', { secretNames: ['KEY'] }, JSON.stringify({ KEY: long }), 'VALUE_TOO_LARGE'],
  ['too many secrets', { secretNames: names }, undefined, 'SECRETS_TOO_MANY'],
  ['secrets that nobody can read', { secretNames: ['KEY'] }, '{"KEY": hush', 'SECRETS_UNREADABLE'],
  ['a payload without end', { event: { client_payload: { a: 'x'.repeat(65_536) } } }, undefined, 'DISPATCH_TOO_LARGE'],
] as const)(
  'A ticket from outside with %s is refused by its name, and leaves nothing',
  async ([, more, secrets, code]) => {
    using repository = new Repository({ '.github/workflows/wait.yml': workflow })
    await using shipway = new Shipway()
    const request = pushed(repository)
    if (request.kind !== 'run') throw new Error('no run')
    const event = 'event' in more ? { ...request.event, payload: more.event } : request.event
    const ticket = someTicket('tk_0123456789abcdef', { request: { ...request, ...more, event } })
    const files = openHomeFiles(shipway.home)
    if (secrets !== undefined) files.write(`secrets/${ticket.id}.json`, secrets, 0o600)
    files.write(`inbox/${ticketFileName(ticket)}`, encodeTicket(ticket, sha256))

    const agent = await shipway.call(repository.root, 'agent', '--until-quiet')

    expect(agent).toMatchObject({ status: 0 })
    expect(agent.stderr).toMatch(/ticket tk_0123456789abcdef of \S+ \(run\) is refused: \S/)
    expect(agent.stdout + agent.stderr).not.toContain('hush')
    await using store = await openSqlite({ path: path.join(shipway.home, 'state.db'), readOnly: true })
    const outcome = (await loadTicket(store.query, ticket.id))?.outcome
    expect(outcome).toMatchObject({ kind: 'refused', error: { code } })
    expect(JSON.stringify(outcome)).not.toContain('hush')
    expect(await store.query('select id from run')).toEqual([])
    for (const folder of ['secrets', 'inbox', 'processing', 'quarantine'])
      expect(existsSync(path.join(shipway.home, folder)) ? readdirSync(path.join(shipway.home, folder)) : []).toEqual(
        [],
      )
  },
)

test('An environment that keeps more secrets than GitHub allows fails the job that asks for it', async () => {
  using repository = new Repository({
    'shipway.yml': 'name: shop\nenvironments: { live: { targets: [./place] } }\n',
    '.github/workflows/ci.yml': `on: push
jobs: { a: { runs-on: ubuntu-latest, environment: live, steps: [{ run: 'true' }] } }
`,
  })
  await using shipway = new Shipway()
  const secrets = JSON.stringify(Object.fromEntries(names.map((name) => [name, 'x'])))
  openHomeFiles(shipway.home).write('secrets/shop/live.json', secrets, 0o600)

  const run = await shipway.call(repository.root, 'run', 'push')

  expect(run.status).toBe(1)
  expect(run.stdout).toContain('The environment "live" has 101 secrets; 100 are allowed')
})
