import type { Query } from '#ports/sql-driver.ts'
import { present } from './column.ts'

/** What the store knows of an environment besides its rules. */
export interface StoredEnvironment {
  readonly application: string
  readonly name: string
  /** Release that runs there as far as this agent did it. */
  readonly current?: string
  /** Deployment that put it there. */
  readonly deployment?: string
  readonly lock?: EnvironmentLock
  readonly hold?: EnvironmentHold
}

/** Nobody deploys. */
export interface EnvironmentLock {
  readonly by: string
  readonly reason?: string
  /** Milliseconds since 1970; absent: until somebody unlocks. */
  readonly until?: number
  readonly at: number
}

/** Nothing is deployed without a person, after something was put back. */
export interface EnvironmentHold {
  readonly by: string
  readonly reason: string
  readonly at: number
}

interface EnvironmentRow {
  readonly application: string
  readonly name: string
  readonly current: string | null
  readonly deployment: string | null
  readonly locked_by: string | null
  readonly lock_reason: string | null
  readonly lock_until: number | null
  readonly locked_at: number | null
  readonly held_by: string | null
  readonly hold_reason: string | null
  readonly held_at: number | null
}

/** State of an environment; one that nothing happened to is empty, not absent. */
export async function loadEnvironment(q: Query, application: string, name: string): Promise<StoredEnvironment> {
  const [row] = await q<EnvironmentRow>('select * from environment_state where application = $1 and name = $2', [
    application,
    name,
  ])
  return row === undefined ? { application, name } : storedEnvironment(row)
}

/** Locks the row of an environment for this transaction, making it when it is not there: deployments of it are decided one at a time. */
export async function touchEnvironment(q: Query, application: string, name: string): Promise<void> {
  await q(
    `insert into environment_state (application, name) values ($1, $2)
     on conflict (application, name) do update set current = environment_state.current`,
    [application, name],
  )
}

export async function setCurrentRelease(
  q: Query,
  place: Place,
  current: { readonly release: string; readonly deployment: string },
): Promise<void> {
  await upsert(q, place, { current: current.release, deployment: current.deployment })
}

export async function lockEnvironment(q: Query, place: Place, lock: Omit<EnvironmentLock, 'at'>): Promise<void> {
  await upsert(q, place, { locked_by: lock.by, lock_reason: lock.reason ?? null, lock_until: lock.until ?? null })
  await q('update environment_state set locked_at = {now} where application = $1 and name = $2', [
    place.application,
    place.environment,
  ])
}

export async function unlockEnvironment(q: Query, place: Place): Promise<void> {
  await upsert(q, place, { locked_by: null, lock_reason: null, lock_until: null, locked_at: null })
}

export async function holdEnvironment(q: Query, place: Place, hold: Omit<EnvironmentHold, 'at'>): Promise<void> {
  await upsert(q, place, { held_by: hold.by, hold_reason: hold.reason })
  await q('update environment_state set held_at = {now} where application = $1 and name = $2', [
    place.application,
    place.environment,
  ])
}

export async function resumeEnvironment(q: Query, place: Place): Promise<void> {
  await upsert(q, place, { held_by: null, hold_reason: null, held_at: null })
}

/** One environment of one application. */
export interface Place {
  readonly application: string
  readonly environment: string
}

async function upsert(
  q: Query,
  place: Place,
  columns: Readonly<Record<string, string | number | null>>,
): Promise<void> {
  await touchEnvironment(q, place.application, place.environment)
  const names = Object.keys(columns)
  const sets = names.map((name, index) => `${name} = $${index + 3}`).join(', ')
  await q(`update environment_state set ${sets} where application = $1 and name = $2`, [
    place.application,
    place.environment,
    ...Object.values(columns),
  ])
}

function storedEnvironment(row: EnvironmentRow): StoredEnvironment {
  return {
    application: row.application,
    name: row.name,
    ...present({ current: row.current, deployment: row.deployment }),
    ...(row.locked_by === null
      ? {}
      : {
          lock: {
            by: row.locked_by,
            at: row.locked_at ?? 0,
            ...present({ reason: row.lock_reason, until: row.lock_until }),
          },
        }),
    ...(row.held_by === null ? {} : { hold: { by: row.held_by, reason: row.hold_reason ?? '', at: row.held_at ?? 0 } }),
  }
}
