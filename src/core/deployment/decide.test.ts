import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decide } from './decide.ts'
import { effectsOf } from './effects.ts'
import type { TargetObservation } from './observation.ts'
import type { DeploymentInput, DeploymentState, DeploymentWrite } from './state.ts'

const failure = { reason: { code: 'X_FAILED', message: 'It broke.' }, isReleaseBad: false }
const bad = { ...failure, isReleaseBad: true }
const happenings = ['crash', 'cancel', 'timer', 'overdue'] as const
const names = (count: number) => Array.from({ length: count }, (_, index) => `t${index + 1}`)

function fresh(mode: DeploymentState['mode'] = 'deploy'): DeploymentState {
  return { id: 'dep_1', environment: 'staging', release: 'new', mode, phase: 'gate', targets: [] }
}

/** Feeds inputs and returns the last state, all writes, and what is asked to be done at the end. */
function play(state: DeploymentState, inputs: readonly DeploymentInput[]) {
  const writes: DeploymentWrite[] = []
  for (const input of inputs) {
    const decision = decide(state, input)
    state = decision.state
    writes.push(...decision.writes)
  }
  return {
    state,
    writes,
    kinds: writes.map(({ kind }) => kind).filter((kind) => kind !== 'event'),
    effects: effectsOf(state),
  }
}

const start: DeploymentInput = { kind: 'start', targets: names(3).map((name) => ({ name, from: 'old' })) }
const each = (
  kind: 'prepared' | 'switched' | 'confirmed' | 'reverted',
  ...targets: readonly string[]
): readonly DeploymentInput[] => targets.map((target) => ({ kind, target }))
const toVerify = [start, ...each('prepared', 't1', 't2', 't3'), ...each('switched', 't1', 't2', 't3')]

describe('a deployment', () => {
  test('goes through prepare, switch, verify and confirm, and the environment runs the release', () => {
    const { state, kinds } = play(fresh(), [...toVerify, { kind: 'verified' }, ...each('confirmed', 't3', 't1', 't2')])

    expect(state).toMatchObject({ phase: 'done', conclusion: 'success' })
    expect(kinds).toEqual(['current'])
  })

  test('prepares all targets at once, switches the first one alone, then all others at once', () => {
    expect(play(fresh(), [start]).effects).toHaveLength(3)
    expect(play(fresh(), [start, ...each('prepared', 't1', 't2', 't3')]).effects).toEqual([
      { kind: 'switch', target: 't1' },
    ])
    expect(play(fresh(), [start, ...each('prepared', 't1', 't2', 't3'), ...each('switched', 't1')]).effects).toEqual([
      { kind: 'switch', target: 't2' },
      { kind: 'switch', target: 't3' },
    ])
  })

  test('touches nothing when a target cannot be prepared, and waits for the others before it ends', () => {
    const begun = play(fresh(), [start, { kind: 'prepare-failed', target: 't2', failure }, ...each('prepared', 't1')])
    expect(begun.state.phase).toBe('prepare')

    const { state, kinds } = play(begun.state, each('prepared', 't3'))
    expect(state).toMatchObject({ phase: 'done', conclusion: 'failure', reason: { code: 'X_FAILED' } })
    expect(kinds).toEqual([])
  })

  test('puts all touched targets back from the last to the first when one cannot switch, then holds the environment', () => {
    const failed = play(fresh(), [
      start,
      ...each('prepared', 't1', 't2', 't3'),
      ...each('switched', 't1', 't3'),
      { kind: 'switch-failed', target: 't2', failure },
    ])
    expect(failed.effects).toEqual([{ kind: 'revert', target: 't3', reason: 'It broke.' }])
    expect(play(failed.state, each('reverted', 't3')).effects).toMatchObject([{ target: 't2' }])

    const { state, kinds } = play(failed.state, each('reverted', 't3', 't2', 't1'))
    expect(state).toMatchObject({ phase: 'done', conclusion: 'reverted' })
    expect(kinds).toEqual(['hold'])
  })

  test('marks the release bad when it is not healthy', () => {
    const { state, kinds } = play(fresh(), [
      ...toVerify,
      { kind: 'verify-failed', failure: bad },
      ...each('reverted', 't3', 't2', 't1'),
    ])

    expect(state).toMatchObject({ conclusion: 'reverted', reason: { message: 'It broke.' } })
    expect(kinds).toEqual(['hold', 'bad'])
  })

  test('puts confirmed targets back too when another one cannot be confirmed', () => {
    const { state, effects } = play(fresh(), [
      ...toVerify,
      { kind: 'verified' },
      ...each('confirmed', 't1', 't3'),
      { kind: 'confirm-failed', target: 't2', failure },
    ])
    expect(effects).toMatchObject([{ kind: 'revert', target: 't3' }])

    expect(play(state, each('reverted', 't3', 't2', 't1')).state.conclusion).toBe('reverted')
  })

  test('says which targets are unknown when going back fails', () => {
    const { state } = play(fresh(), [
      ...toVerify,
      { kind: 'verify-failed', failure: bad },
      ...each('reverted', 't3'),
      { kind: 'revert-failed', target: 't2', failure },
      ...each('reverted', 't1'),
    ])

    expect(state).toMatchObject({
      conclusion: 'reverted',
      reason: { code: 'TARGETS_UNKNOWN', message: expect.stringContaining('t2') },
    })
  })

  test('a rollback that is not healthy stays, and is red: it is not rolled back itself', () => {
    const { state, kinds } = play(fresh('rollback'), [
      ...toVerify,
      { kind: 'verify-failed', failure: bad },
      ...each('confirmed', 't1', 't2', 't3'),
    ])

    expect(state).toMatchObject({ conclusion: 'failure', reason: { code: 'ROLLBACK_UNHEALTHY' } })
    expect(kinds).toEqual(['left', 'current', 'hold'])
  })

  test('a rollback holds the environment', () => {
    expect(
      play(fresh('rollback'), [...toVerify, { kind: 'verified' }, ...each('confirmed', 't1', 't2', 't3')]).kinds,
    ).toEqual(['left', 'current', 'hold'])
  })

  test.for([
    ['at the gate', [], 'done', 'cancelled'],
    ['while it prepares', [start, ...each('prepared', 't1', 't2')], 'prepare', undefined],
    ['while it verifies', toVerify, 'revert', undefined],
    ['while it confirms: too late', [...toVerify, { kind: 'verified' }], 'confirm', undefined],
  ] as const)('cancel %s', ([, before, phase, conclusion]) => {
    const { state } = play(fresh(), [...before, { kind: 'cancel', by: 'ann', reason: 'wrong one' }])

    expect(state.phase).toBe(phase)
    expect(state.conclusion).toBe(conclusion)
  })

  test('a cancel that puts targets back neither holds the environment nor speaks against the release', () => {
    const { state, kinds } = play(fresh(), [
      ...toVerify,
      { kind: 'cancel', by: 'ann', reason: 'wrong one' },
      ...each('reverted', 't3', 't2', 't1'),
    ])

    expect(state).toMatchObject({ conclusion: 'cancelled', reason: { message: 'Cancelled by ann: wrong one.' } })
    expect(kinds).toEqual([])
  })

  test('the same reason to wait is told once', () => {
    const wait: DeploymentInput = { kind: 'wait', reason: { code: 'ENVIRONMENT_LOCKED', message: 'Locked.' } }

    expect(play(fresh(), [wait, wait]).writes).toHaveLength(1)
  })

  test.for([
    ['a target that prepared prepares again', [start], { current: 'old' }, 'prepare t1'],
    [
      'an open switch is done again, because its restart command may have been cut',
      [start, ...each('prepared', 't1', 't2', 't3')],
      { current: 'new', pending: 'dep_1' },
      'switch t1',
    ],
    [
      'an open switch of a cancelled deployment is not done again but taken back',
      [start, ...each('prepared', 't1', 't2', 't3'), { kind: 'cancel', by: 'ann', reason: 'why not' }],
      { current: 'new', pending: 'dep_1' },
      'revert t1',
    ],
    [
      'a switch that has not happened is done',
      [start, ...each('prepared', 't1', 't2', 't3')],
      { current: 'old' },
      'switch t1',
    ],
    ['a target that went back takes all others with it', toVerify, { current: 'old' }, 'revert t3'],
    ['an open switch is verified again', toVerify, { current: 'new', pending: 'dep_1' }, 'verify '],
    [
      'an open confirmation is sent again',
      [...toVerify, { kind: 'verified' }],
      { current: 'new', pending: 'dep_1' },
      'confirm t1',
    ],
    ['a heard confirmation is sent again', [...toVerify, { kind: 'verified' }], { current: 'new' }, 'confirm t1'],
    [
      'a foreign release is not overwritten but put back',
      [start, ...each('prepared', 't1', 't2', 't3')],
      { current: 'alien' },
      'revert t1',
    ],
  ] as const)('after a restart, %s', ([, before, seen, next]) => {
    const stopped = play(fresh(), before as readonly DeploymentInput[]).state
    const pending = 'pending' in seen ? { pending: { deployment: seen.pending, release: 'new' } } : {}
    const observations: TargetObservation[] = names(3).map(() => ({ kind: 'known', current: seen.current, ...pending }))

    const { state, effects } = decide(stopped, { kind: 'resumed', observations })

    const [effect] = effects
    expect(effect === undefined ? state.phase : `${effect.kind} ${'target' in effect ? effect.target : ''}`).toBe(next)
  })

  test('on the same release again, only the open switch tells that there is something to take back', () => {
    const again: DeploymentInput = { kind: 'start', targets: [{ name: 't1', from: 'new' }] }
    const cancel: DeploymentInput = { kind: 'cancel', by: 'ann', reason: 'why not' }
    const stopped = play(fresh(), [again, ...each('prepared', 't1'), cancel]).state

    const untouched = decide(stopped, { kind: 'resumed', observations: [{ kind: 'known', current: 'new' }] })
    const switched = decide(stopped, {
      kind: 'resumed',
      observations: [{ kind: 'known', current: 'new', pending: { deployment: 'dep_1', release: 'new' } }],
    })

    expect(untouched.state).toMatchObject({ phase: 'done', conclusion: 'cancelled' })
    expect(switched.effects).toMatchObject([{ kind: 'revert', target: 't1' }])
  })
})

/** A fleet as the driver port promises it: acts may fail before or after they happened, and a target goes back when nobody confirms. */
interface Host {
  current: string
  previous: string
  pending: boolean
  isLost: boolean
}

const fates = ['ok', 'fails-before', 'fails-after', 'lost'] as const
const script = fc.array(
  fc.record({
    pick: fc.nat(9),
    fate: fc.oneof(
      { weight: 6, arbitrary: fc.constant('ok' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...fates) },
    ),
    event: fc.oneof(
      { weight: 12, arbitrary: fc.constant('act' as const) },
      { weight: 1, arbitrary: fc.constantFrom(...happenings) },
    ),
  }),
  { maxLength: 80 },
)

describe('whatever fails on the way', () => {
  test('at the end all targets run the same release or are unknown, and the row says which', () => {
    const ends = new Map<string, number>()
    fc.assert(
      fc.property(
        script,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom('deploy' as const, 'rollback' as const),
        (steps, count, mode) => {
          const hosts = new Map(
            names(count).map((name): [string, Host] => [
              name,
              { current: 'old', previous: 'older', pending: false, isLost: false },
            ]),
          )
          let { state } = decide(fresh(mode), {
            kind: 'start',
            targets: names(count).map((name) => ({ name, from: 'old' })),
          })
          let current: string = 'old'
          const feed = (input: DeploymentInput): void => {
            const decision = decide(state, input)
            if (decision.writes.some(({ kind }) => kind === 'current')) current = 'new'
            state = decision.state
          }
          for (let turn = 0; state.phase !== 'done'; turn += 1) {
            expect(turn).toBeLessThan(400)
            const step = steps[turn] ?? ({ pick: 0, fate: 'ok', event: 'act' } as const)
            if (step.event === 'crash') feed({ kind: 'resumed', observations: [...hosts.values()].map(observe) })
            else if (step.event === 'cancel') feed({ kind: 'cancel', by: 'ann', reason: 'why not' })
            else if (step.event === 'overdue') feed({ kind: 'overdue', failure })
            else if (step.event === 'timer') for (const host of hosts.values()) goBack(host)
            else perform(state, hosts, step, feed)
          }
          ends.set(state.conclusion ?? '', (ends.get(state.conclusion ?? '') ?? 0) + 1)
          // What nobody confirmed goes back by itself sooner or later, also on a host that nobody reaches.
          for (const host of hosts.values()) goBack(host)
          for (const { name, phase } of state.targets)
            if (phase !== 'unknown') expect(hosts.get(name)?.current).toBe(current)
          expect(state.conclusion === 'success').toBe(current === 'new' && state.failure === undefined)
        },
      ),
      { numRuns: 3000 },
    )
    // The property is worth something only when it has seen every end.
    expect([...ends.keys()].toSorted()).toEqual(['cancelled', 'failure', 'reverted', 'success'])
  })

  test('the same inputs give the same state, and a done deployment decides nothing more', () => {
    const input = fc.oneof(
      fc.constant(start),
      fc.record({
        kind: fc.constantFrom('prepared' as const, 'switched' as const, 'confirmed' as const, 'reverted' as const),
        target: fc.constantFrom(...names(4)),
      }),
      fc.record({
        kind: fc.constantFrom(
          'prepare-failed' as const,
          'switch-failed' as const,
          'confirm-failed' as const,
          'revert-failed' as const,
        ),
        target: fc.constantFrom(...names(4)),
        failure: fc.constantFrom(failure, bad),
      }),
      fc.constantFrom<DeploymentInput>(
        { kind: 'verified' },
        { kind: 'verify-failed', failure: bad },
        { kind: 'cancel', by: 'ann', reason: 'x' },
        { kind: 'wait', reason: failure.reason },
      ),
    )
    fc.assert(
      fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
        const first = play(fresh(), inputs)
        expect(play(fresh(), inputs).state).toEqual(first.state)
        expect(JSON.parse(JSON.stringify(first.state))).toEqual(first.state)
        if (first.state.phase === 'done')
          expect(play(first.state, inputs)).toMatchObject({ state: first.state, writes: [], effects: [] })
      }),
    )
  })
})

function observe(host: Host): TargetObservation {
  if (host.isLost) return { kind: 'unknown', why: 'no route' }
  return {
    kind: 'known',
    current: host.current,
    ...(host.pending ? { pending: { deployment: 'dep_1', release: host.current } } : {}),
  }
}

function goBack(host: Host): void {
  if (!host.pending) return
  host.pending = false
  host.current = host.previous
}

/** Performs one of the acts that the state asks for, on the model of the fleet. */
function perform(
  state: DeploymentState,
  hosts: Map<string, Host>,
  step: { pick: number; fate: (typeof fates)[number] },
  feed: (input: DeploymentInput) => void,
): void {
  const effects = effectsOf(state)
  const effect = effects[step.pick % effects.length]
  if (effect === undefined) throw new Error(`nothing to do in ${state.phase}`)
  if (effect.kind === 'gate') throw new Error('back at the gate')
  if (effect.kind === 'verify') {
    feed(step.fate === 'ok' ? { kind: 'verified' } : { kind: 'verify-failed', failure: bad })
    return
  }
  const host = hosts.get(effect.target)
  if (host === undefined) throw new Error('unknown host')
  if (step.fate === 'lost') host.isLost = true
  const done = !host.isLost && step.fate !== 'fails-before' && act(host, effect.kind)
  const { target } = effect
  const words = {
    prepare: ['prepared', 'prepare-failed'],
    switch: ['switched', 'switch-failed'],
    confirm: ['confirmed', 'confirm-failed'],
    revert: ['reverted', 'revert-failed'],
  } as const
  const [good, notGood] = words[effect.kind]
  if (done && step.fate === 'ok') feed({ kind: good, target })
  else feed({ kind: notGood, target, failure })
}

/** True when the act succeeded. */
function act(host: Host, kind: 'prepare' | 'switch' | 'confirm' | 'revert'): boolean {
  switch (kind) {
    case 'prepare':
      return true
    case 'switch':
      if (host.current !== 'new') Object.assign(host, { previous: host.current, current: 'new', pending: true })
      return true
    case 'confirm':
      if (host.current !== 'new') return false
      host.pending = false
      return true
    case 'revert':
      host.pending = false
      host.current = 'old'
      return true
  }
}
