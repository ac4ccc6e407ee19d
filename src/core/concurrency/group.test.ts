import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findCircle } from './circle.ts'
import type { Membership } from './circle.ts'
import { enterGroup, groupQueueMax, isSameClaimant, leaveGroup } from './group.ts'
import type { Claimant, GroupDecision, GroupMember, GroupNotice, GroupTerms } from './group.ts'

const single: GroupTerms = { cancelInProgress: false, queue: 'single' }
const cancelling: GroupTerms = { cancelInProgress: true, queue: 'single' }
const max: GroupTerms = { cancelInProgress: false, queue: 'max' }

/** One group whose rows are kept as the store keeps them. */
class Group {
  members: readonly GroupMember[] = []
  #seq = 0

  enter(run: string, terms: GroupTerms = single): readonly string[] {
    return this.#follow(enterGroup(this.members, { run, job: '' }, { terms, seq: (this.#seq += 1) }))
  }

  leave(run: string): readonly string[] {
    return this.#follow(leaveGroup(this.members, { run, job: '' }))
  }

  #follow({ writes, notices }: GroupDecision): readonly string[] {
    for (const write of writes) {
      const claimant = write.kind === 'put' ? write.member : write.claimant
      this.members = this.members.filter((member) => !isSameClaimant(member, claimant))
      if (write.kind === 'put') this.members = [...this.members, write.member]
    }
    return notices.map(told)
  }
}

function told({ to, news }: GroupNotice): string {
  switch (news.kind) {
    case 'waits':
      return `${to.run} waits behind ${news.behind.run}, ${news.ahead} ahead`
    case 'ousted':
    case 'cancelled':
      return `${to.run} ${news.kind} by ${news.by.run}`
    default:
      return `${to.run} ${news.kind}`
  }
}

describe('A concurrency group', () => {
  test('lets one in and one wait, and a newer one takes the place of the one that waits', () => {
    const group = new Group()
    expect(group.enter('a')).toEqual(['a entered'])
    expect(group.enter('b')).toEqual(['b waits behind a, 0 ahead'])
    expect(group.enter('c')).toEqual(['b ousted by c', 'c waits behind a, 0 ahead'])
    expect(group.leave('b')).toEqual([])
    expect(group.leave('a')).toEqual(['c entered'])
    expect(group.leave('c')).toEqual([])
    expect(group.members).toEqual([])
  })

  test('asks the one in progress to end where the newer one wants it, once, and lets it end first', () => {
    const group = new Group()
    group.enter('a')
    expect(group.enter('b', cancelling)).toEqual(['a cancelled by b', 'b waits behind a, 0 ahead'])
    expect(group.enter('c', cancelling)).toEqual(['b ousted by c', 'c waits behind a, 0 ahead'])
    expect(group.leave('a')).toEqual(['c entered'])
  })

  test('keeps all in the order of their coming with queue: max, up to a limit', () => {
    const group = new Group()
    group.enter('first', max)
    const names = Array.from({ length: groupQueueMax }, (_, index) => `r${index}`)
    for (const [index, name] of names.entries())
      expect(group.enter(name, max)).toEqual([`${name} waits behind first, ${index} ahead`])
    expect(group.enter('late', max)).toEqual(['late full'])

    let holder = 'first'
    for (const name of names) {
      expect(group.leave(holder)).toEqual([`${name} entered`])
      holder = name
    }
  })

  test('answers the same when it is asked again, as after a restart', () => {
    const group = new Group()
    for (const run of ['a', 'b', 'c']) group.enter(run)
    group.enter('d', cancelling)
    const before = group.members
    expect(['a', 'b', 'c', 'd'].map((run) => group.enter(run, cancelling))).toEqual([
      ['a cancelled by d'],
      ['b ousted by c'],
      ['c ousted by d'],
      ['d waits behind a, 0 ahead'],
    ])
    expect(group.members).toEqual(before)
  })

  test('never has two, forgets nobody, and is fair, whatever happens in whatever order', () => {
    const terms = fc.constantFrom(single, cancelling, max)
    const step = fc.record({ run: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), terms, leaves: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const group = new Group()
        for (const { run, terms: how, leaves } of steps) {
          const line = waiting(group)
          if (leaves) group.leave(run)
          else group.enter(run, how)
          expectSound(group)
          // Those that still wait keep their order, and who comes anew stands at the end.
          const after = waiting(group)
          const stayed = line.filter((name) => after.includes(name))
          expect(after.filter((name) => stayed.includes(name))).toEqual(stayed)
        }
        // Everybody leaves as soon as it may: the group comes to its end.
        for (let rounds = 0; group.members.length > 0; rounds += 1) {
          expect(rounds).toBeLessThan(10)
          const line = waiting(group)
          const holder = group.members.find(({ state }) => state === 'has')
          const next = holder === undefined ? [] : group.leave(holder.run)
          if (line[0] !== undefined) expect(next).toEqual([`${line[0]} entered`])
          for (const { run, state } of group.members) if (state === 'ousted') group.leave(run)
        }
      }),
    )
  })
})

function waiting({ members }: Group): readonly string[] {
  return members
    .filter(({ state }) => state === 'waits')
    .toSorted((a, b) => a.seq - b.seq)
    .map(({ run }) => run)
}

/** One has it at most, and nobody waits for a free group. */
function expectSound(group: Group): void {
  const holders = group.members.filter(({ state }) => state === 'has')
  expect(holders.length).toBeLessThanOrEqual(1)
  if (waiting(group).length > 0) expect(holders).toHaveLength(1)
}

describe('A circle of runs that wait for each other', () => {
  const has = (run: string, group: string, job = ''): Membership => ({ run, job, group, state: 'has', seq: 0 })
  const waits = (run: string, job: string, group: string): Membership => ({ run, job, group, state: 'waits', seq: 0 })
  const cases: readonly (readonly [string, readonly Membership[], Claimant, string, readonly string[] | undefined])[] =
    [
      ['nobody has it', [has('a', 'x')], { run: 'a', job: 'j' }, 'y', undefined],
      [
        'a job has it, which waits for nothing',
        [has('a', 'x'), has('b', 'y', 'k')],
        { run: 'a', job: 'j' },
        'y',
        undefined,
      ],
      ['a run has it that waits for nothing', [has('a', 'x'), has('b', 'y')], { run: 'a', job: 'j' }, 'y', undefined],
      ['two', [has('a', 'x'), has('b', 'y'), waits('b', 'k', 'x')], { run: 'a', job: 'j' }, 'y', ['a', 'b']],
      [
        'three',
        [has('a', 'x'), has('b', 'y'), has('c', 'z'), waits('b', 'k', 'z'), waits('c', 'k', 'x')],
        { run: 'a', job: 'j' },
        'y',
        ['a', 'b', 'c'],
      ],
      ['its own run has it', [has('a', 'x')], { run: 'a', job: 'j' }, 'x', ['a']],
      [
        'a job has it for what it calls',
        [has('a', 'x'), has('b', 'y', 'call'), waits('b', 'call.deep', 'x')],
        { run: 'a', job: 'j' },
        'y',
        ['a', 'b'],
      ],
      [
        'a job has one of its two groups and waits for the other',
        [has('a', 'x', 'call'), has('b', 'y', 'call'), waits('b', 'call+', 'x')],
        { run: 'a', job: 'call+' },
        'y',
        ['a', 'b'],
      ],
      ['a whole run has nothing yet', [has('b', 'y'), waits('b', 'k', 'x')], { run: 'a', job: '' }, 'y', undefined],
    ]
  test.each(cases)('%s', (_what, all, claimant, group, expected) => {
    expect(findCircle(all, claimant, group)).toEqual(expected)
  })
})
