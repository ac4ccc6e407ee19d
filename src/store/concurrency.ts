import { claimingJob } from '#core/concurrency/group.ts'
import type { Claimant, GroupMember, GroupWrite } from '#core/concurrency/group.ts'
import type { Membership } from '#core/concurrency/circle.ts'
import { unreachable } from '#core/unreachable.ts'
import type { Query } from '#ports/sql-driver.ts'
import { nextNumber } from './counter.ts'

/**
 * Members of concurrency groups as rows: who has a group, who waits, in which order, and who ousted whom. Slots that are only counted could not
 * say any of that. A run or job is in one group at most, a job that calls a workflow in two: see `calledClaim`. Groups belong to an application.
 */
export interface StoredMember extends Membership {
  readonly application: string
}

interface MemberRow {
  readonly run: string
  readonly job: string
  readonly application: string
  readonly name: string
  readonly state: GroupMember['state']
  readonly seq: number
  readonly by_run: string | null
  readonly by_job: string | null
}

/**
 * Locks all groups of an application until the transaction ends, so that a decision on one of them, and on circles through several, is not
 * overtaken. Returns the place of the next member in line. Call it before reading.
 */
export function lockGroups(q: Query, application: string): Promise<number> {
  return nextNumber(q, `concurrency/${application}`)
}

/** The members of one group, in the order of their coming. */
export async function groupMembers(q: Query, application: string, name: string): Promise<readonly StoredMember[]> {
  const rows = await q<MemberRow>(
    'select * from concurrency_member where application = $1 and name = $2 order by seq',
    [application, name],
  )
  return rows.map(storedMember)
}

/** All members of all groups of an application. */
export async function allMembers(q: Query, application: string): Promise<readonly StoredMember[]> {
  const rows = await q<MemberRow>('select * from concurrency_member where application = $1 order by seq', [application])
  return rows.map(storedMember)
}

/** What a run and its jobs are in. */
export async function membershipsOfRun(q: Query, run: string): Promise<readonly StoredMember[]> {
  const rows = await q<MemberRow>('select * from concurrency_member where run = $1 order by seq', [run])
  return rows.map(storedMember)
}

/** Whether a run, or a job that waits, still is what it was when it asked for its group. */
export async function mayEnter(q: Query, { run, job }: Claimant): Promise<boolean> {
  const rows =
    job === ''
      ? await q(`select 1 as one from run where id = $1 and state <> 'done'`, [run])
      : await q(`select 1 as one from job where run = $1 and key = $2 and state = 'waiting'`, [run, claimingJob(job)])
  return rows.length > 0
}

/** Members whose run or job is done, as after a crash between the end and what follows from it. */
export async function membersLeftBehind(q: Query): Promise<readonly StoredMember[]> {
  const rows = await q<MemberRow>(
    `select m.* from concurrency_member m join run r on r.id = m.run left join job j on j.run = m.run and j.key = rtrim(m.job, '+')
      where r.state = 'done' or (m.job <> '' and (j.state is null or j.state = 'done')) order by m.seq`,
  )
  return rows.map(storedMember)
}

/** Members that shall end for another one. Those that have heard of it are among them: telling twice is harmless. */
export async function membersToEnd(q: Query): Promise<readonly StoredMember[]> {
  const rows = await q<MemberRow>(
    `select * from concurrency_member where state = 'has' and by_run is not null order by seq`,
  )
  return rows.map(storedMember)
}

/** Carries out a decision on a group, under its lock. */
export async function writeGroup(
  q: Query,
  group: { readonly application: string; readonly name: string },
  writes: readonly GroupWrite[],
): Promise<void> {
  for (const write of writes) {
    switch (write.kind) {
      case 'put':
        await putMember(q, group, write.member)
        break
      case 'drop':
        await dropMember(q, write.claimant)
        break
      default:
        unreachable(write)
    }
  }
}

async function putMember(
  q: Query,
  { application, name }: { readonly application: string; readonly name: string },
  { run, job, state, seq, by }: GroupMember,
): Promise<void> {
  await q(
    `insert into concurrency_member (run, job, application, name, state, seq, by_run, by_job)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (run, job) do update set state = excluded.state, by_run = excluded.by_run, by_job = excluded.by_job`,
    [run, job, application, name, state, seq, by?.run ?? null, by?.job ?? null],
  )
}

async function dropMember(q: Query, { run, job }: Claimant): Promise<void> {
  await q('delete from concurrency_member where run = $1 and job = $2', [run, job])
}

function storedMember({ by_run: byRun, by_job: byJob, name, ...row }: MemberRow): StoredMember {
  return {
    run: row.run,
    job: row.job,
    application: row.application,
    group: name,
    state: row.state,
    seq: row.seq,
    ...(byRun === null ? {} : { by: { run: byRun, job: byJob ?? '' } }),
  }
}
