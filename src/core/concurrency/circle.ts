import { claimingJob, isSameClaimant } from './group.ts'
import type { Claimant, GroupMember } from './group.ts'

/** A member with the group that it is in. */
export interface Membership extends GroupMember {
  readonly group: string
}

/**
 * The runs that would wait for each other for ever if the claimant waited for the group; undefined when there is no such circle. Only what has a group
 * for the sake of other jobs can close one: a whole run, or a job that calls a workflow, keeps its group until its last job has ended, and that job may
 * wait for another group. Any other job that has a group waits for nothing any more.
 */
export function findCircle(
  all: readonly Membership[],
  claimant: Claimant,
  group: string,
): readonly string[] | undefined {
  const path: string[] = []
  const seen = new Set<string>()
  const reaches = (holder: Claimant): boolean => {
    if (isBelow(holder, claimant)) return true
    const name = `${holder.run}/${holder.job}`
    if (seen.has(name)) return false
    seen.add(name)
    path.push(holder.run)
    const next = all
      .filter((member) => member.state === 'waits' && isBelow(holder, member))
      .map((member) => holderOf(all, member.group))
    if (next.some((other) => other !== undefined && reaches(other))) return true
    path.pop()
    return false
  }
  const holder = holderOf(all, group)
  const isEntered = all.some((member) => isSameClaimant(member, claimant) && member.state === 'has')
  if (holder === undefined || isEntered || !reaches(holder)) return undefined
  return [...new Set([claimant.run, ...path])]
}

/** Whether `inner` must end before `outer` can: a job of the run or of what the job calls, or the other claim of a calling job. */
function isBelow(outer: Claimant, inner: Claimant): boolean {
  if (outer.run !== inner.run || inner.job === '') return false
  if (outer.job === '') return true
  const caller = claimingJob(outer.job)
  return inner.job.startsWith(`${caller}.`) || (claimingJob(inner.job) === caller && inner.job !== outer.job)
}

function holderOf(all: readonly Membership[], group: string): Claimant | undefined {
  return all.find((member) => member.group === group && member.state === 'has')
}
