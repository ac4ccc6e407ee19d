import { describe, expect, test } from 'vitest'
import type { EnvironmentConfig } from '#core/project/model.ts'
import { checkEnvironment } from './check.ts'
import type { EnvironmentFacts, EnvironmentSubject } from './check.ts'

const now = 1_700_000_000_000
const hour = 3_600_000
const base: EnvironmentConfig = {
  name: 'production',
  from: [],
  after: [],
  driver: 'directory',
  targets: [],
  verifiedBy: [],
  retain: 5,
  confirmWithinMs: 120_000,
  auto: false,
  variables: {},
  secrets: [],
  position: { line: 1, column: 1 },
}
const approvals = (more: Partial<NonNullable<EnvironmentConfig['approvals']>> = {}) => ({
  approvals: { count: 1, from: [], notAuthor: false, expiresMs: 24 * hour, ...more },
})
const approved = (actor: string, at = now - hour) => ({ decision: 'approve' as const, actor, at })

interface Case {
  readonly config?: Partial<EnvironmentConfig>
  readonly subject?: Partial<EnvironmentSubject>
  readonly facts?: Partial<EnvironmentFacts>
}

function check({ config, subject, facts }: Case) {
  return checkEnvironment({
    now,
    config: { ...base, ...config },
    subject: {
      id: 'dep_1',
      application: 'shop',
      kind: 'deploy',
      ref: 'refs/heads/main',
      dirty: false,
      isAutomatic: false,
      authors: ['ada'],
      release: { id: 'r1', version: 'v1.2.3' },
      ...subject,
    },
    facts: {
      verifications: {},
      decisions: [],
      outdatedApprovals: 0,
      hasRunBefore: false,
      missingSecrets: [],
      ...facts,
    },
  })
}

const automatic = { isAutomatic: true }
const back = { subject: { kind: 'rollback' }, facts: { hasRunBefore: true } } as const
const verified = { kind: 'verified' } as const
const bad = { release: { id: 'r1', version: 'v1.2.3', bad: [{ environment: 'production', reason: 'It broke.' }] } }
const lock = { by: 'bo', reason: 'load test' }

/** What is the case, and what the rules say: `pass`, or `wait` or `refuse` with the code of the rule. */
const cases: readonly (readonly [string, Case, string])[] = [
  ['nothing is asked', {}, 'pass'],

  ['the ref is admitted', { config: { from: ['main'] } }, 'pass'],
  ['the ref is not admitted', { config: { from: ['v*.*.*'] } }, 'refuse REF_NOT_ADMITTED'],
  ['a rollback to what has run here needs no ref', { ...back, config: { from: ['v*.*.*'] } }, 'pass'],
  [
    'a rollback to what never ran here does',
    { config: { from: ['v*.*.*'] }, subject: { kind: 'rollback' } },
    'refuse REF_NOT_ADMITTED',
  ],

  ['of a fork', { subject: { isFromFork: true } }, 'refuse FORK_NOT_ADMITTED'],
  [
    'of a fork that is asked for',
    { config: { from: ['refs/pull/**'] }, subject: { isFromFork: true, ref: 'refs/pull/7/merge' } },
    'pass',
  ],
  ['dirty, and no rules', { subject: { dirty: true } }, 'pass'],
  [
    'dirty, and approvals',
    { config: approvals(), subject: { dirty: true }, facts: { decisions: [approved('bo')] } },
    'refuse RELEASE_DIRTY',
  ],
  [
    'dirty, and after',
    { config: { after: ['staging'] }, subject: { dirty: true }, facts: { verifications: { staging: verified } } },
    'refuse RELEASE_DIRTY',
  ],

  ['bad here', { subject: bad }, 'refuse RELEASE_BAD'],
  ['bad elsewhere', { subject: { release: { ...bad.release, bad: [{ environment: 'dev', reason: 'x' }] } } }, 'pass'],
  [
    'bad elsewhere and here',
    { subject: { release: { ...bad.release, bad: [{ environment: 'dev', reason: 'x' }, ...bad.release.bad] } } },
    'refuse RELEASE_BAD',
  ],
  ['a rollback to a bad one', { ...back, subject: { kind: 'rollback', ...bad } }, 'refuse RELEASE_BAD'],

  [
    'automatic, and a newer one is there',
    { subject: automatic, facts: { newer: { version: 'v2' } } },
    'refuse DEPLOYMENT_SUPERSEDED',
  ],
  ['by hand, and a newer one is there', { facts: { newer: { version: 'v2' } } }, 'pass'],

  ['a secret is missing', { facts: { missingSecrets: ['KEY'] } }, 'refuse SECRET_MISSING'],

  ['after: verified', { config: { after: ['staging'] }, facts: { verifications: { staging: verified } } }, 'pass'],
  [
    'after: pending',
    { config: { after: ['staging'] }, facts: { verifications: { staging: { kind: 'pending', why: 'x' } } } },
    'wait VERIFICATION_PENDING',
  ],
  [
    'after: missing',
    { config: { after: ['staging'] }, facts: { verifications: { staging: { kind: 'missing', why: 'x' } } } },
    'refuse RELEASE_NOT_VERIFIED',
  ],
  ['after: never heard of', { config: { after: ['staging'] } }, 'refuse RELEASE_NOT_VERIFIED'],
  [
    'after: one pending, one missing',
    { config: { after: ['a', 'b'] }, facts: { verifications: { a: { kind: 'pending', why: 'x' } } } },
    'refuse RELEASE_NOT_VERIFIED',
  ],
  ['a rollback needs no verification', { ...back, config: { after: ['staging'] } }, 'pass'],

  ['locked', { facts: { lock } }, 'wait ENVIRONMENT_LOCKED'],
  ['locked until later', { facts: { lock: { ...lock, until: now + 1 } } }, 'wait ENVIRONMENT_LOCKED'],
  ['locked until now', { facts: { lock: { ...lock, until: now } } }, 'pass'],
  ['a rollback under a lock', { subject: back.subject, facts: { ...back.facts, lock } }, 'wait ENVIRONMENT_LOCKED'],

  [
    'held, automatic',
    { subject: automatic, facts: { hold: { by: 'bo', reason: 'It broke.' } } },
    'wait ENVIRONMENT_HELD',
  ],
  ['held, by hand', { facts: { hold: { by: 'bo', reason: 'It broke.' } } }, 'pass'],
  [
    'held, automatic rollback',
    {
      subject: { kind: 'rollback', isAutomatic: true },
      facts: { hasRunBefore: true, hold: { by: 'bo', reason: 'It broke.' } },
    },
    'pass',
  ],

  ['busy', { facts: { active: { id: 'dep_0', version: 'v1', phase: 'switch' } } }, 'wait ENVIRONMENT_BUSY'],

  ['no approval', { config: approvals() }, 'wait APPROVAL_NEEDED'],
  ['one approval', { config: approvals(), facts: { decisions: [approved('bo')] } }, 'pass'],
  [
    'one of two approvals',
    { config: approvals({ count: 2 }), facts: { decisions: [approved('bo')] } },
    'wait APPROVAL_NEEDED',
  ],
  [
    'the same person twice',
    { config: approvals({ count: 2 }), facts: { decisions: [approved('bo'), approved('bo')] } },
    'wait APPROVAL_NEEDED',
  ],
  ['two people', { config: approvals({ count: 2 }), facts: { decisions: [approved('bo'), approved('cy')] } }, 'pass'],
  [
    'of somebody who may not',
    { config: approvals({ from: ['cy'] }), facts: { decisions: [approved('bo')] } },
    'wait APPROVAL_NEEDED',
  ],
  ['of the author, who may', { config: approvals(), facts: { decisions: [approved('ada')] } }, 'pass'],
  [
    'of the author, who may not',
    { config: approvals({ notAuthor: true }), facts: { decisions: [approved('ada')] } },
    'wait APPROVAL_NEEDED',
  ],
  [
    'an approval that has just expired',
    { config: approvals(), facts: { decisions: [approved('bo', now - 24 * hour)] } },
    'wait APPROVAL_NEEDED',
  ],
  [
    'an approval that has almost expired',
    { config: approvals(), facts: { decisions: [approved('bo', now - 24 * hour + 1)] } },
    'pass',
  ],
  [
    'a rejection, whatever else',
    { config: approvals(), facts: { decisions: [approved('bo'), { ...approved('cy'), decision: 'reject' }] } },
    'refuse APPROVAL_REJECTED',
  ],
  ['a rollback to what has run here needs no approval', { ...back, config: approvals() }, 'pass'],
  [
    'a rollback to what never ran here does',
    { config: approvals(), subject: { kind: 'rollback' } },
    'wait APPROVAL_NEEDED',
  ],

  ['nobody is asked to approve what is locked', { config: approvals(), facts: { lock } }, 'wait ENVIRONMENT_LOCKED'],
  ['nobody waits for a lock to be refused afterwards', { subject: bad, facts: { lock } }, 'refuse RELEASE_BAD'],
]

describe('the rules of an environment', () => {
  test.for(cases)('%s', ([, asked, expected]) => {
    const verdict = check(asked)

    expect(verdict.kind === 'pass' ? 'pass' : `${verdict.kind} ${verdict.reason.code}`).toBe(expected)
  })

  test('every reason is a sentence that says what to do', () => {
    for (const [title, asked] of cases) {
      const verdict = check(asked)
      if (verdict.kind === 'pass') continue
      expect(verdict.reason.message, title).toMatch(/^[A-Za-z].*[.]$/)
      expect(verdict.reason.hint, title).toEqual(expect.any(String))
    }
  })

  test('the reason for an approval says how many, of whom, and why given ones do not count', () => {
    const verdict = check({
      config: approvals({ count: 2, from: ['bo', 'cy', 'ada'], notAuthor: true }),
      facts: { decisions: [approved('bo'), approved('ada'), approved('dan')], outdatedApprovals: 1 },
    })

    expect(verdict).toEqual({
      kind: 'wait',
      reason: {
        code: 'APPROVAL_NEEDED',
        message:
          'production needs 1 more approval of cy, not of the author for v1.2.3 (that of bo is good until 2023-11-15 21:13 UTC; ada made the change or asked for it; dan is not among those who may approve; an earlier approval was for another plan).',
        hint: '`shipway approve dep_1` or `shipway reject dep_1`; an approval is good for 1d.',
        who: ['cy'],
      },
    })
  })
})

describe('time', () => {
  const soak = { after: ['staging'], soakMs: hour }
  const verified = { verifications: { staging: { kind: 'verified' } } } as const
  const soaked = (ms: number, isRunning: boolean) => ({
    facts: { ...verified, soaked: { staging: { ms, isRunning } } },
  })

  test('a release that has not run for long enough waits while it runs there, and is refused when it has left', () => {
    expect(check({ config: soak, ...soaked(hour, false) })).toEqual({ kind: 'pass' })
    expect(check({ config: soak, ...soaked(hour / 2, true) })).toMatchObject({
      kind: 'wait',
      reason: { code: 'RELEASE_SOAKING', message: expect.stringContaining('has run it for 30m') },
    })
    expect(check({ config: soak, ...soaked(hour / 2, false) })).toMatchObject({
      kind: 'refuse',
      reason: { code: 'RELEASE_NOT_SOAKED' },
    })
  })

  test('a freeze stops everybody but a rollback, and says until when and why', () => {
    const facts = { freeze: { until: now + hour, reason: 'holidays' } }
    expect(check({ facts })).toMatchObject({
      kind: 'wait',
      reason: { code: 'ENVIRONMENT_FROZEN', message: expect.stringMatching(/until 2023-11-14 23:13 UTC: holidays/) },
    })
    expect(check({ facts, subject: { kind: 'rollback' } })).toEqual({ kind: 'pass' })
  })

  test('evidence that fails is refused with its figures, but not on the way back', () => {
    const facts = {
      gates: [{ gate: 'coverage', verdict: 'fail', text: 'Line coverage is 60 %, below 80 %.' }],
    } as const
    expect(check({ facts })).toMatchObject({ kind: 'refuse', reason: { message: expect.stringContaining('60 %') } })
    const rule = 'Whoever may change "environments.production.gates" in shipway.yml of the default branch'
    expect(check({ facts })).toMatchObject({ reason: { hint: expect.stringContaining(rule) } })
    expect(check({ subject: back.subject, facts: { ...facts, ...back.facts } })).toEqual({ kind: 'pass' })
  })
})
