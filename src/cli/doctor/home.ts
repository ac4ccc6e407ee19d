import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { checkSecrets } from './secrets.ts'
import { KnownError } from '#core/errors.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { Session } from '../session.ts'
import type { Check } from './check.ts'
import { fail, ok, skip, warn } from './check.ts'

/** Below this, runs begin to fail. Bytes. */
const diskFreeMin = 200 * 1024 * 1024
/** Below this, somebody should look. Bytes. */
const diskFreeLow = 2 * 1024 * 1024 * 1024
/** A clock that stands before this is wrong: 2025-01-01. Milliseconds since 1970. */
const clockMin = 1_735_689_600_000
/** How far behind the newest event the clock may be before it is called wrong. Milliseconds. */
const clockBehindMax = 60_000

/** The state home: can it be written, is there room, is the store whole, does an agent live there. */
export async function checkHome(session: Session): Promise<readonly Check[]> {
  return [
    await checkWritable(session.home),
    await checkDisk(session.home),
    ...(await checkStore(session)),
    await checkSecrets(session.home),
    await checkAgent(session),
  ]
}

async function checkWritable(home: string): Promise<Check> {
  const place = await existing(home)
  const writable = await access(place, constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!writable)
    return fail(
      'home',
      `${home} cannot be written by this user`,
      'Choose another one with --home DIR or SHIPWAY_HOME, or change its owner.',
    )
  if (place !== home) return ok('home', `${home} (made when it is first used)`)
  const { mode } = await stat(home)
  return (mode & 0o022) === 0
    ? ok('home', home)
    : warn('home', `${home} can be written by other users`, `chmod 700 ${home}`)
}

async function checkDisk(home: string): Promise<Check> {
  const facts = await statfs(await existing(home))
  const free = facts.bavail * facts.bsize
  const found = `${(free / 1024 ** 3).toFixed(1)} GB free`
  const fix = `Free some space: \`du -sh ${home}/runs ${home}/blobs ${home}/cache\` shows what is big.`
  if (free < diskFreeMin) return fail('free disk', found, fix)
  return free < diskFreeLow ? warn('free disk', found, fix) : ok('free disk', found)
}

async function checkStore(session: Session): Promise<readonly Check[]> {
  try {
    const store = await session.services.openStore(session.home)
    if (store === undefined)
      return [skip('store', 'nothing has run in this home yet'), checkClock(session.world.now(), undefined)]
    try {
      const checks = [
        await checkSchema(store.query),
        store.dialect === 'sqlite' ? await checkIntegrity(store.query) : skip('integrity', 'PostgreSQL looks after it'),
      ]
      return [...checks, checkClock(session.world.now(), await newestEvent(store.query))]
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return [fail('store', error.message, error.hint ?? 'Look at the file and its folder.')]
  }
}

async function checkSchema(q: Query): Promise<Check> {
  const [row] = await q<{ version: number | null }>('select max(version) as version from schema_version')
  return ok('schema', `version ${row?.version ?? 0}, known to this Shipway`)
}

async function checkIntegrity(q: Query): Promise<Check> {
  const rows = await q<{ quick_check: string }>('pragma quick_check(5)')
  const problems = rows.map((row) => row.quick_check).filter((line) => line !== 'ok')
  if (problems.length === 0) return ok('integrity', 'the store is whole')
  return fail(
    'integrity',
    problems.join('; '),
    'Stop the agent, keep a copy of the file, and put the newest backup in its place.',
  )
}

async function newestEvent(q: Query): Promise<number | undefined> {
  const [row] = await q<{ at: number | null }>('select max(at) as at from event')
  return row?.at ?? undefined
}

export function checkClock(now: number, newest: number | undefined): Check {
  const text = new Date(now).toISOString()
  const fix = 'Set the clock, and let it be set by itself: `timedatectl set-ntp true`.'
  if (now < clockMin) return fail('clock', `it says ${text}, which is in the past`, fix)
  if (newest !== undefined && now < newest - clockBehindMax)
    return warn('clock', `it says ${text}, before the latest event at ${new Date(newest).toISOString()}`, fix)
  return ok('clock', text)
}

async function checkAgent(session: Session): Promise<Check> {
  const { isAlive, pid } = await session.services.agentStatus(session.home)
  if (isAlive) return ok('agent', pid === undefined ? 'one lives in this home' : `lives as process ${pid}`)
  return ok('agent', 'none: each command is the agent while it runs')
}

/** The folder itself, or the nearest one above it that is there. */
async function existing(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const isThere = await access(folder).then(
      () => true,
      () => false,
    )
    if (isThere || dirname(folder) === folder) return folder
  }
}
