/**
 * A concurrency group (actions-semantics 132): one member has it, the others wait in the order of their coming.
 *
 *     enter ──free──► has ──leave──► gone           a newer one with `cancel-in-progress` asks it to end (`by`)
 *       └──taken──► waits ──has left──► has
 *                     └──a newer one came──► ousted (`by`) ──leave──► gone
 *
 * Everything here is pure: the members of one group and what happens give the rows to write and what to tell whom.
 */

/** Who is in a group: a run, or one job of it. */
export interface Claimant {
  readonly run: string
  /** Key of the job; empty when the run as a whole is meant. */
  readonly job: string
}

/**
 * The second claim of a job that calls a workflow: its own group is claimed under its key, that of the called workflow under this. Both are
 * held until the call is done.
 */
export function calledClaim(key: string): string {
  return `${key}+`
}

/** The job that a claim belongs to. */
export function claimingJob(claim: string): string {
  return claim.replace(/\+$/, '')
}

export interface GroupMember extends Claimant {
  readonly state: 'has' | 'waits' | 'ousted'
  /** Grows with every entry: the order of those that wait. */
  readonly seq: number
  /** Who took its place, or asked it to end. Kept until the member has left, so that a restarted agent tells it again. */
  readonly by?: Claimant
}

/** How a claimant wants to be let in. */
export interface GroupTerms {
  /** The one that has the group is asked to end. */
  readonly cancelInProgress: boolean
  /** `single`: one waits, a newer one takes its place. `max`: all wait, in order. */
  readonly queue: 'single' | 'max'
}

/** Those that may wait for one group with `queue: max`; GitHub has the same number. */
export const groupQueueMax = 100

export type GroupWrite =
  | { readonly kind: 'put'; readonly member: GroupMember }
  | { readonly kind: 'drop'; readonly claimant: Claimant }

/** What one claimant has to hear. */
export type GroupNews =
  | { readonly kind: 'entered' }
  /** `behind` has the group; `ahead` others come first. */
  | { readonly kind: 'waits'; readonly behind: Claimant; readonly ahead: number }
  /** It loses its place in the line. */
  | { readonly kind: 'ousted'; readonly by: Claimant }
  /** It has the group and shall end. */
  | { readonly kind: 'cancelled'; readonly by: Claimant }
  | { readonly kind: 'full' }
  /** Letting it wait would be for ever: each of these runs waits for the next, and the last for the first. */
  | { readonly kind: 'circle'; readonly runs: readonly string[] }

export interface GroupNotice {
  readonly to: Claimant
  readonly news: GroupNews
}

export interface GroupDecision {
  readonly writes: readonly GroupWrite[]
  readonly notices: readonly GroupNotice[]
}

/** Two names mean one group when they differ in case only. */
export function groupKey(name: string): string {
  return name.toLowerCase()
}

export function isSameClaimant(a: Claimant, b: Claimant): boolean {
  return a.run === b.run && a.job === b.job
}

/**
 * A claimant wants in. Asking again answers with what is so already, which is how a restarted agent learns it. `seq` is larger than that
 * of every member.
 */
export function enterGroup(
  members: readonly GroupMember[],
  claimant: Claimant,
  { terms, seq }: { readonly terms: GroupTerms; readonly seq: number },
): GroupDecision {
  const known = members.find((member) => isSameClaimant(member, claimant))
  if (known !== undefined) return { writes: [], notices: [{ to: claimant, news: newsOf(members, known) }] }
  const { run, job } = claimant
  const holder = members.find((member) => member.state === 'has')
  const line = members.filter((member) => member.state === 'waits')
  if (holder === undefined && line.length === 0) {
    return {
      writes: [{ kind: 'put', member: { run, job, state: 'has', seq } }],
      notices: [{ to: claimant, news: { kind: 'entered' } }],
    }
  }
  if (terms.queue === 'max' && line.length >= groupQueueMax)
    return { writes: [], notices: [{ to: claimant, news: { kind: 'full' } }] }

  const ousted = terms.queue === 'max' ? [] : line
  const writes: GroupWrite[] = ousted.map((member) => put(member, { state: 'ousted', by: claimant }))
  const notices: GroupNotice[] = ousted.map((member) => ({ to: member, news: { kind: 'ousted', by: claimant } }))
  if (holder !== undefined && terms.cancelInProgress && holder.by === undefined) {
    writes.push(put(holder, { state: 'has', by: claimant }))
    notices.push({ to: holder, news: { kind: 'cancelled', by: claimant } })
  }
  const own: GroupMember = { run, job, state: 'waits', seq }
  const after = [...members.filter((member) => !ousted.includes(member)), own]
  return {
    writes: [...writes, { kind: 'put', member: own }],
    notices: [...notices, { to: claimant, news: newsOf(after, own) }],
  }
}

/** A claimant is done, or does not want in any more. Who is next in line has the group from now on. */
export function leaveGroup(members: readonly GroupMember[], claimant: Claimant): GroupDecision {
  const known = members.find((member) => isSameClaimant(member, claimant))
  if (known === undefined) return { writes: [], notices: [] }
  const drop: GroupWrite = { kind: 'drop', claimant: { run: claimant.run, job: claimant.job } }
  const left = members.filter((member) => member !== known)
  const next = inLine(left)[0]
  if (next === undefined || left.some((member) => member.state === 'has')) return { writes: [drop], notices: [] }
  return {
    writes: [drop, put(next, { state: 'has' })],
    notices: [{ to: { run: next.run, job: next.job }, news: { kind: 'entered' } }],
  }
}

/** What a member would hear if it asked now. */
function newsOf(members: readonly GroupMember[], member: GroupMember): GroupNews {
  if (member.state === 'ousted') return { kind: 'ousted', by: member.by ?? member }
  if (member.state === 'has')
    return member.by === undefined ? { kind: 'entered' } : { kind: 'cancelled', by: member.by }
  const holder = members.find((other) => other.state === 'has')
  const line = inLine(members)
  const ahead = line.findIndex((other) => isSameClaimant(other, member))
  return { kind: 'waits', behind: holder ?? line[0] ?? member, ahead: Math.max(0, ahead) }
}

function inLine(members: readonly GroupMember[]): readonly GroupMember[] {
  return members.filter((member) => member.state === 'waits').toSorted((a, b) => a.seq - b.seq)
}

function put(
  { run, job, seq }: GroupMember,
  to: { readonly state: GroupMember['state']; readonly by?: Claimant },
): GroupWrite {
  return { kind: 'put', member: { run, job, seq, ...to } }
}
