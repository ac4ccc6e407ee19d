import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemGit } from '#adapters/git/git.ts'
import { openHomeFiles } from '#adapters/home-files/home-files.ts'
import { openSqlite } from '#adapters/store-sqlite/open-sqlite.ts'
import { parseProject } from '#core/project/parse.ts'
import { decodeTicket } from '#core/ticket/envelope.ts'
import type { RunRequest, Ticket } from '#core/ticket/model.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { SqlDriver } from '#ports/sql-driver.ts'
import { saveApplication } from '#store/application.ts'
import { migrate } from '#store/migrate.ts'
import { insertTicket } from '#store/ticket.ts'
import { Repository } from '../../test/rig/repository.ts'
import { ScheduleWatch } from './schedule-watch.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const workflow = (on: string): string => `on: ${on}\njobs:\n  a: { runs-on: x, steps: [{ run: x }] }\n`
const nightly = { '.github/workflows/nightly.yml': workflow("{ schedule: [{ cron: '0 3 * * *' }], push: }") }

let folder: string
let files: HomeFiles
let store: SqlDriver
let now: number
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shipway-schedule-'))
  files = openHomeFiles(folder)
  files.prepare()
  store = await openSqlite({ path: join(folder, 'state.db') })
  await migrate(store)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** An agent that has just started. */
function watch(): ScheduleWatch {
  const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.reject(new Error('nobody sleeps')) }
  return new ScheduleWatch({ store, files, git: systemGit, clock, sha256 })
}

async function know(repository: Repository, name = 'web'): Promise<void> {
  const config = parseProject({ file: 'shipway.yml', text: '', folderName: name }).value
  if (config === undefined) throw new Error('an empty project is valid')
  await saveApplication(store.query, { name, repository: repository.root, config })
}

/** What was handed in since the last call, in the order of the inbox; it is admitted by that. */
async function takeInbox(): Promise<readonly Ticket[]> {
  const inbox = join(folder, 'inbox')
  const tickets: Ticket[] = []
  for (const name of readdirSync(inbox).toSorted()) {
    const decoded = decodeTicket(readFileSync(join(inbox, name), 'utf8'), sha256)
    if ('problem' in decoded) throw new Error(decoded.problem)
    await store.transaction(async (query) => insertTicket(query, decoded.ticket, decoded.digest))
    tickets.push(decoded.ticket)
    rmSync(join(inbox, name))
  }
  return tickets
}

const at = (text: string): number => Date.parse(`2026-11-21T${text}Z`)

test('a schedule is started when its time has come, once, on the newest commit of the default branch', async () => {
  using repository = new Repository(nightly)
  await know(repository)
  const agent = watch()

  now = at('02:59:50')
  expect(await agent.fire()).toEqual([])
  expect(await takeInbox()).toEqual([])
  const sha = repository.commit({ 'app.txt': 'new\n' })
  now = at('03:00:05')
  await agent.fire()
  await agent.fire()
  const [ticket, ...more] = await takeInbox()
  now = at('03:20:00')
  await agent.fire()

  expect(more).toEqual([])
  expect(await takeInbox()).toEqual([])
  const request = ticket?.request as RunRequest
  expect(request).toMatchObject({
    kind: 'run',
    application: 'web',
    workflows: ['.github/workflows/nightly.yml'],
    actor: 'schedule',
    event: { name: 'schedule', ref: 'refs/heads/main', sha, payload: { schedule: '0 3 * * *' } },
  })
})

test('a time that was missed within the last hour is made up for, never twice after a restart', async () => {
  using repository = new Repository(nightly)
  await know(repository)

  now = at('03:59:00')
  await watch().fire()
  expect(await takeInbox()).toHaveLength(1)
  await watch().fire()
  now = at('03:59:30')
  await watch().fire()
  expect(await takeInbox()).toEqual([])
})

test('a time that was missed for longer is over', async () => {
  using repository = new Repository(nightly)
  await know(repository)

  now = at('04:00:30')
  await watch().fire()

  expect(await takeInbox()).toEqual([])
})

test('of several missed times the newest counts, and times nearer than five minutes are thinned out', async () => {
  using repository = new Repository({
    '.github/workflows/often.yml': workflow("{ schedule: [{ cron: '* * * * *' }] }"),
  })
  await know(repository)
  const agent = watch()
  const seen: number[] = []
  for (let minute = 0; minute < 70; minute += 1) {
    now = at('10:00:30') + minute * 60_000
    await agent.fire()
    if ((await takeInbox()).length > 0) seen.push(minute)
  }

  expect(seen).toEqual(Array.from({ length: 14 }, (_, index) => index * 5))
})

test('other branches, workflows without a schedule, and repositories that are gone start nothing', async () => {
  using repository = new Repository({ '.github/workflows/ci.yml': workflow('push') })
  await know(repository)
  repository.git('checkout', '--quiet', '-b', 'topic')
  repository.commit(nightly)
  const gone = new Repository(nightly)
  await know(gone, 'gone')
  gone[Symbol.dispose]()
  using without = new Repository({ 'app.txt': '' })
  await know(without, 'without')

  now = at('03:00:05')
  const problems = await watch().fire()

  expect(await takeInbox()).toEqual([])
  expect(problems).toEqual([
    expect.stringMatching(/^Schedules of gone .*its repository has no branch, or is gone/),
    expect.stringMatching(/^Schedules of without .*no workflow file/),
  ])
})
