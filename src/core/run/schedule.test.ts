import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findCircle } from '#core/concurrency/circle.ts'
import type { Membership } from '#core/concurrency/circle.ts'
import { enterGroup, groupKey, isSameClaimant, leaveGroup } from '#core/concurrency/group.ts'
import type { Claimant, GroupDecision, GroupNotice } from '#core/concurrency/group.ts'
import type { ConcurrencyGroup } from '#core/plan/concurrency.ts'
import type { JobModel } from '#core/workflow/model.ts'
import { decide } from './decide.ts'
import type { GroupAnswer, RunInput } from './decide.ts'
import { applyWrites, buildRunState, initialJobs, waitsFor } from './state.ts'
import type { JobState, RunDocument, RunEffect, RunState } from './state.ts'

/** Thrown where the world ends: the agent is killed between two of its effects. */
class Killed extends Error {}

/**
 * Several runs as an agent drives them: decide, apply (the commit), then perform the effects, one transaction each. It can be killed before any
 * effect; what is left then are the rows of the runs and of the groups.
 */
class World {
  readonly runs = new Map<string, RunState>()
  members: readonly Membership[] = []
  /** How often somebody was let in before one that came earlier. */
  overtakings = 0
  /** Effects until it is killed. */
  fuel = Infinity
  #seq = 0

  admit(id: string, jobs: readonly JobModel[], concurrency?: ConcurrencyGroup): void {
    const document: RunDocument = {
      workflow: { file: 'ci.yml', name: 'CI', triggers: [], jobs },
      github: {},
      inputs: {},
      vars: {},
      env: {},
      secretNames: [],
      platforms: {},
      repository: '/repo',
      dirty: false,
      ...(concurrency === undefined ? {} : { concurrency }),
    }
    this.runs.set(id, buildRunState({ id, ticket: 'tk_1', state: 'running' }, document, initialJobs(document)))
    this.feed(id, { kind: 'start' })
  }

  feed(run: string, input: RunInput): void {
    const state = this.runs.get(run)
    if (state === undefined) return
    const { writes, effects } = decide(state, input)
    applyWrites(state, writes)
    for (const effect of effects) this.#perform(run, effect)
  }

  /** The agent is started again: everything is built from rows, and recovery does what the engine's does. */
  restart(): void {
    this.fuel = Infinity
    for (const [id, state] of this.runs) {
      const isInside = this.members.some((member) => member.run === id && member.job === '' && member.state === 'has')
      this.runs.set(id, buildRunState({ ...state, isInside }, state.document, [...state.jobs.values()]))
    }
    for (const { run, job } of this.jobs('leased')) {
      const reason = { code: 'AGENT_RESTARTED', message: 'gone.' }
      this.feed(run, { kind: 'lost', key: job.key, attempt: job.attempt, reason })
    }
    for (const state of this.runs.values()) {
      if (state.state === 'done') continue
      this.feed(state.id, { kind: 'start' })
    }
    for (const member of this.members) if (this.#isOver(member)) this.#leave(member)
    for (const { by, ...to } of this.members)
      if (by !== undefined && to.state === 'has') this.#tell([{ to, news: { kind: 'cancelled', by } }])
  }

  jobs(...states: readonly JobState['state'][]): readonly { readonly run: string; readonly job: JobState }[] {
    return [...this.runs.values()].flatMap((state) =>
      [...state.jobs.values()].filter((job) => states.includes(job.state)).map((job) => ({ run: state.id, job })),
    )
  }

  get isDone(): boolean {
    return [...this.runs.values()].every(({ state }) => state === 'done')
  }

  #perform(run: string, effect: RunEffect): void {
    if (effect.kind === 'dispatch' || effect.kind === 'run-finished') return
    if ((this.fuel -= 1) < 0) throw new Killed()
    if (effect.kind === 'enter-group') this.#enter({ run, job: effect.key }, effect.concurrency)
    else if (effect.kind === 'leave-group') this.#leave({ run, job: effect.key })
    else if (effect.kind === 'check-environment')
      this.feed(run, { kind: 'verdict', key: effect.key, verdict: { kind: 'pass' } })
    else {
      const result = { conclusion: 'cancelled', outputs: {}, annotations: [] } as const
      this.feed(run, { kind: 'finished', key: effect.key, attempt: effect.attempt, result })
    }
  }

  #enter(claimant: Claimant, concurrency: ConcurrencyGroup): void {
    const group = groupKey(concurrency.group)
    const state = this.runs.get(claimant.run)
    const mayEnter = claimant.job === '' ? state?.state !== 'done' : state?.jobs.get(claimant.job)?.state === 'waiting'
    if (!mayEnter) return
    const runs = findCircle(this.members, claimant, group)
    if (runs !== undefined) return this.#tell([{ to: claimant, news: { kind: 'circle', runs } }])
    const members = this.members.filter((member) => member.group === group)
    this.#follow(group, enterGroup(members, claimant, { terms: concurrency, seq: (this.#seq += 1) }))
  }

  #leave(claimant: Claimant): void {
    const group = this.members.find((member) => isSameClaimant(member, claimant))?.group
    if (group === undefined) return
    this.#follow(
      group,
      leaveGroup(
        this.members.filter((member) => member.group === group),
        claimant,
      ),
    )
  }

  #follow(group: string, { writes, notices }: GroupDecision): void {
    for (const write of writes) {
      const claimant = write.kind === 'put' ? write.member : write.claimant
      if (write.kind === 'put' && write.member.state === 'has') this.#countOvertaking(group, write.member)
      this.members = this.members.filter((member) => !isSameClaimant(member, claimant))
      if (write.kind === 'put') this.members = [...this.members, { ...write.member, group }]
    }
    this.#tell(notices)
  }

  /** Fair: who is let in came before all that wait. */
  #countOvertaking(group: string, entering: { readonly seq: number }): void {
    for (const other of this.members)
      if (other.group === group && other.state === 'waits' && other.seq < entering.seq) this.overtakings += 1
  }

  #tell(notices: readonly GroupNotice[]): void {
    for (const notice of notices) {
      if ((this.fuel -= 1) < 0) throw new Killed()
      this.feed(notice.to.run, { kind: 'group', key: notice.to.job, answer: answerOf(notice) })
    }
  }

  #isOver({ run, job }: Claimant): boolean {
    const state = this.runs.get(run)
    return state === undefined || state.state === 'done' || (job !== '' && state.jobs.get(job)?.state === 'done')
  }
}

function answerOf({ news }: GroupNotice): GroupAnswer {
  const reason = { code: 'CONCURRENCY_TAKEN', message: news.kind }
  if (news.kind === 'entered') return { kind: 'entered' }
  if (news.kind === 'waits') return { kind: 'wait', reason }
  return news.kind === 'ousted' || news.kind === 'cancelled'
    ? { kind: 'out', by: news.by.run, reason }
    : { kind: 'refuse', reason }
}

/** Who is in a group now by what runs, not by what the group's rows say. */
function inside(world: World): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>()
  const add = (group: string | undefined, who: string): void => {
    if (group !== undefined) found.set(groupKey(group), [...(found.get(groupKey(group)) ?? []), who])
  }
  for (const state of world.runs.values())
    if (!state.isOutside && state.state !== 'done') add(state.document.concurrency?.group, state.id)
  for (const { run, job } of world.jobs('waiting', 'ready', 'leased'))
    if (job.state !== 'waiting' || waitsFor(job) === 'environment')
      add(job.leg?.concurrency?.group, `${run}/${job.key}`)
  return found
}

const terms = fc.constantFrom(
  { cancelInProgress: false, queue: 'single' },
  { cancelInProgress: true, queue: 'single' },
  { cancelInProgress: false, queue: 'max' },
) satisfies fc.Arbitrary<Omit<ConcurrencyGroup, 'group'>>
const groups = fc.constantFrom('x', 'X', 'y', 'z')
const groupTemplate = fc
  .tuple(groups, terms)
  .map(([group, { cancelInProgress, queue }]) => ({ group, 'cancel-in-progress': cancelInProgress, queue }))
const jobTemplate = fc.record({
  needsBefore: fc.boolean(),
  condition: fc.constantFrom('success()', 'always()', 'failure()'),
  legs: fc.integer({ min: 0, max: 3 }),
  maxParallel: fc.integer({ min: 0, max: 2 }),
  environment: fc.boolean(),
  concurrency: fc.option(groupTemplate, { nil: undefined }),
})
const jobsOfRun = fc.array(jobTemplate, { minLength: 1, maxLength: 4 }).map((templates) =>
  templates.map((template, index): JobModel => {
    const { needsBefore, condition, legs, maxParallel, environment, concurrency } = template
    return {
      id: `j${index}`,
      needs: needsBefore && index > 0 ? [`j${index - 1}`] : [],
      if: condition,
      hasIf: true,
      runsOn: 'host',
      steps: [],
      position: { line: 1, column: 1 },
      ...(legs === 0 ? {} : { strategy: { matrix: { n: Array.from({ length: legs }, (_, n) => n) }, maxParallel } }),
      ...(environment ? { environment: 'place' } : {}),
      ...(concurrency === undefined ? {} : { concurrency }),
    }
  }),
)
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('admit' as const),
      jobs: jobsOfRun,
      group: fc.option(groups, { nil: undefined }),
      terms,
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('claim' as const), pick: fc.nat(50) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('finish' as const), pick: fc.nat(50), isGreen: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), pick: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('kill' as const), after: fc.nat(4) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

function take(world: World, one: Step): void {
  switch (one.kind) {
    case 'admit':
      world.admit(
        `run_${world.runs.size + 1}`,
        one.jobs,
        one.group === undefined ? undefined : { group: one.group, ...one.terms },
      )
      return
    case 'claim': {
      const ready = world.jobs('ready')
      const chosen = ready[one.pick % Math.max(1, ready.length)]
      if (chosen !== undefined)
        world.feed(chosen.run, { kind: 'claimed', key: chosen.job.key, attempt: chosen.job.attempt + 1 })
      return
    }
    case 'finish': {
      const leased = world.jobs('leased')
      const chosen = leased[one.pick % Math.max(1, leased.length)]
      if (chosen === undefined) return
      const result = { conclusion: one.isGreen ? 'success' : 'failure', outputs: {}, annotations: [] } as const
      world.feed(chosen.run, { kind: 'finished', key: chosen.job.key, attempt: chosen.job.attempt, result })
      return
    }
    case 'cancel':
      world.feed(`run_${(one.pick % Math.max(1, world.runs.size)) + 1}`, {
        kind: 'cancel',
        by: 'ann',
        reason: 'enough',
      })
      return
    case 'kill':
      world.fuel = one.after
  }
}

/** One step; an agent that is killed in it starts again. */
function live(world: World, one: Step): void {
  try {
    take(world, one)
  } catch (error) {
    if (!(error instanceof Killed)) throw error
    world.restart()
  }
}

function expectSound(world: World): void {
  expect(world.overtakings).toBe(0)
  for (const [group, who] of inside(world)) expect(who, `in group ${group}`).toHaveLength(1)
  for (const group of new Set(world.members.map((member) => member.group))) {
    const own = world.members.filter((member) => member.group === group)
    expect(own.filter(({ state }) => state === 'has').length).toBeLessThanOrEqual(1)
    if (own.some(({ state }) => state === 'waits')) expect(own.some(({ state }) => state === 'has')).toBe(true)
  }
}

describe('Several runs with groups, matrices, cancels and kills', () => {
  test('never have two in one group, are fair, and all come to their end', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const world = new World()
        for (const one of steps) {
          live(world, one)
          expectSound(world)
        }
        world.restart()
        expectSound(world)
        // From here on nothing goes wrong any more: no wake-up may have been lost.
        for (let turn = 0; !world.isDone; turn += 1) {
          expect(turn, 'somebody waits for ever').toBeLessThan(2000)
          expect(world.jobs('ready', 'leased').length, 'nothing can go on').toBeGreaterThan(0)
          live(world, { kind: 'claim', pick: 0 })
          live(world, { kind: 'finish', pick: 0, isGreen: true })
          expectSound(world)
        }
        expect(world.members).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })
})
