import { findCircle } from '#core/concurrency/circle.ts'
import { enterGroup, groupKey, isSameClaimant, leaveGroup } from '#core/concurrency/group.ts'
import type { Claimant, GroupDecision, GroupNotice } from '#core/concurrency/group.ts'
import { groupReason } from '#core/concurrency/reasons.ts'
import type { ConcurrencyGroup } from '#core/plan/concurrency.ts'
import type { GroupAnswer, RunInput } from '#core/run/decide.ts'
import {
  allMembers,
  groupMembers,
  lockGroups,
  membersLeftBehind,
  mayEnter,
  membershipsOfRun,
  membersToEnd,
  writeGroup,
} from '#store/concurrency.ts'
import { loadRunNames } from '#store/run.ts'
import type { StoredRunName } from '#store/run.ts'
import type { Query, SqlDriver } from '#ports/sql-driver.ts'

/**
 * Carries out what `core/concurrency` decides: the members of a group are rows, one transaction reads and writes them, and what it means for the
 * runs comes back as inputs to their state machines. An agent that dies before it has fed them finds the same answer in the rows.
 */
export interface RunNews {
  readonly run: string
  readonly input: RunInput
}

/** Lets a run or a job into its group, or into the line for it. */
export async function enterConcurrency(
  store: SqlDriver,
  claimant: Claimant,
  concurrency: ConcurrencyGroup,
): Promise<readonly RunNews[]> {
  return store.transaction(async (query) => {
    const { application } = await nameOf(query, claimant.run)
    const seq = await lockGroups(query, application)
    // What happened to a sibling or to its run may have ended it between the wish and now.
    if (!(await mayEnter(query, claimant))) return []
    const name = groupKey(concurrency.group)
    const members = await groupMembers(query, application, name)
    const canClose = claimant.job !== '' && members.some(({ state }) => state === 'has')
    const runs = canClose ? findCircle(await allMembers(query, application), claimant, name) : undefined
    const decision: GroupDecision =
      runs === undefined
        ? enterGroup(members, claimant, { terms: concurrency, seq })
        : { writes: [], notices: [{ to: claimant, news: { kind: 'circle', runs } }] }
    await writeGroup(query, { application, name }, decision.writes)
    return tell(query, concurrency.group, decision.notices)
  })
}

/** Takes a run or a job out of its group; who is next in line has it from now on. */
export async function leaveConcurrency(store: SqlDriver, claimant: Claimant): Promise<readonly RunNews[]> {
  return store.transaction(async (query) => {
    const { application } = await nameOf(query, claimant.run)
    await lockGroups(query, application)
    const own = (await membershipsOfRun(query, claimant.run)).find((member) => isSameClaimant(member, claimant))
    if (own === undefined) return []
    const decision = leaveGroup(await groupMembers(query, application, own.group), claimant)
    await writeGroup(query, { application, name: own.group }, decision.writes)
    return tell(query, own.group, decision.notices)
  })
}

/** What an agent that died has left: members that are done and still in a group. */
export async function leaveBehind(store: SqlDriver): Promise<readonly RunNews[]> {
  const news: RunNews[] = []
  for (const { run, job } of await membersLeftBehind(store.query))
    news.push(...(await leaveConcurrency(store, { run, job })))
  return news
}

/** What those have to hear once more that shall end for a newer one. */
export async function remindOfEnd(store: SqlDriver): Promise<readonly RunNews[]> {
  const news: RunNews[] = []
  for (const { group, run, job, by } of await membersToEnd(store.query)) {
    if (by === undefined) continue
    news.push(...(await tell(store.query, group, [{ to: { run, job }, news: { kind: 'cancelled', by } }])))
  }
  return news
}

async function tell(query: Query, group: string, notices: readonly GroupNotice[]): Promise<readonly RunNews[]> {
  const known = await loadRunNames(query, notices.flatMap(spokenOf))
  const names = new Map(known.map((name) => [name.id, name]))
  return notices.map((notice) => ({
    run: notice.to.run,
    input: { kind: 'group', key: notice.to.job, answer: answerOf(group, notice, names) },
  }))
}

function spokenOf({ news }: GroupNotice): readonly string[] {
  if (news.kind === 'waits') return [news.behind.run]
  if (news.kind === 'circle') return news.runs
  return news.kind === 'ousted' || news.kind === 'cancelled' ? [news.by.run] : []
}

function answerOf(group: string, { news }: GroupNotice, names: ReadonlyMap<string, StoredRunName>): GroupAnswer {
  const reason = groupReason(news, { group, names })
  if (reason === undefined) return { kind: 'entered' }
  switch (news.kind) {
    case 'waits':
      return { kind: 'wait', reason }
    case 'ousted':
    case 'cancelled':
      return { kind: 'out', by: `run #${names.get(news.by.run)?.number ?? news.by.run}`, reason }
    case 'full':
      // As on GitHub: it is cancelled, not failed.
      return { kind: 'out', by: 'the concurrency group', reason }
    default:
      return { kind: 'refuse', reason }
  }
}

async function nameOf(query: Query, run: string): Promise<StoredRunName> {
  const [name] = await loadRunNames(query, [run])
  if (name === undefined) throw new Error(`Invariant broken: there is no run ${run}`)
  return name
}
