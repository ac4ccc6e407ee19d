import { isSameClaimant } from './group.ts'
import type { Claimant, GroupMember } from './group.ts'

/** A member with the group that it is in. */
export interface Membership extends GroupMember {
  readonly group: string
}

/**
 * The runs that would wait for each other for ever if the claimant waited for the group; undefined when there is no such circle. Only a group that
 * a whole run has can close one: the run keeps it until its last job has ended, and that job may wait for another group. A job that has a group
 * waits for nothing any more.
 */
export function findCircle(
  all: readonly Membership[],
  claimant: Claimant,
  group: string,
): readonly string[] | undefined {
  if (claimant.job === '') return undefined
  const path: string[] = []
  const seen = new Set<string>()
  const reaches = (run: string): boolean => {
    if (run === claimant.run) return true
    if (seen.has(run)) return false
    seen.add(run)
    path.push(run)
    const waitsFor = all
      .filter((member) => member.run === run && member.job !== '' && member.state === 'waits')
      .map((member) => runThatHas(all, member.group))
    if (waitsFor.some((next) => next !== undefined && reaches(next))) return true
    path.pop()
    return false
  }
  const holder = runThatHas(all, group)
  const isEntered = all.some((member) => isSameClaimant(member, claimant) && member.state === 'has')
  if (holder === undefined || isEntered || !reaches(holder)) return undefined
  return [claimant.run, ...path]
}

/** The run that has a group as a whole. */
function runThatHas(all: readonly Membership[], group: string): string | undefined {
  return all.find((member) => member.group === group && member.state === 'has' && member.job === '')?.run
}
