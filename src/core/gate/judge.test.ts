import { describe, expect, test } from 'vitest'
import type { Finding } from '#core/evidence/vulnerability.ts'
import type { Evidence, EvidenceContent } from './evidence.ts'
import { judgeGates } from './judge.ts'
import { readEvidence } from './evidence.ts'
import type { GateFacts } from './result.ts'
import type { GatePolicy } from './policy.ts'

const now = Date.UTC(2026, 5, 1)
const day = 86_400_000

const evidence = (...contents: readonly EvidenceContent[]): readonly Evidence[] =>
  contents.map((content, index) => ({ path: `reports/${index}`, digest: 'a'.repeat(64), size: 1, ...content }))

const tests = (more: Partial<Extract<EvidenceContent, { kind: 'tests' }>> = {}): EvidenceContent => ({
  kind: 'tests',
  tests: 10,
  skipped: 2,
  red: 0,
  flaky: 0,
  problems: [],
  ...more,
})
const coverage = (
  lines: number,
  more: Partial<Extract<EvidenceContent, { kind: 'coverage' }>> = {},
): EvidenceContent => ({
  kind: 'coverage',
  format: 'lcov',
  lines: { percent: lines },
  ...more,
})
const scan = (findings: readonly Finding[], more: { unlisted?: number; flaw?: string } = {}): EvidenceContent => ({
  kind: 'scans',
  tool: 'Trivy',
  findings,
  unlisted: 0,
  ...more,
})
const finding = (severity: Finding['severity'], more: Partial<Finding> = {}): Finding => ({
  id: 'CVE-2026-1',
  kind: 'vulnerability',
  severity,
  where: 'openssl 3.0.1',
  title: '',
  fixedIn: '3.0.2',
  ...more,
})
const vulnerabilities = { block: ['critical', 'high'], warn: ['medium', 'low'], ignoreUnfixed: false } as const

const noFacts: GateFacts = {
  source: { sha: 'abc', ref: 'refs/heads/main' },
  answers: [],
  evidence: [],
  previous: [],
  waivers: [],
  now,
}

function judge(policy: GatePolicy, contents: readonly EvidenceContent[], more: Partial<GateFacts> = {}) {
  const results = judgeGates(policy, { ...noFacts, evidence: evidence(...contents), ...more })
  expect(results).toHaveLength(1)
  return results[0]
}

const unreadable: EvidenceContent = { kind: 'unreadable', expected: 'coverage', problem: 'it is empty' }
const cases: readonly [string, GatePolicy, readonly EvidenceContent[], 'pass' | 'warn' | 'fail', RegExp][] = [
  ['green tests pass', { tests: { minimum: 1 } }, [tests()], 'pass', /^8 tests passed\.$/],
  [
    'red tests fail, and the first is named',
    { tests: { minimum: 1 } },
    [tests({ red: 2, problems: ['math > adds: 3'] })],
    'fail',
    /2 tests of 8 failed, the first: math > adds: 3/,
  ],
  [
    'tests that were all skipped are none',
    { tests: { minimum: 1 } },
    [tests({ tests: 2 })],
    'fail',
    /0 tests ran; at least 1/,
  ],
  [
    'tests that needed a second try are said',
    { tests: { minimum: 1 } },
    [tests({ flaky: 1 })],
    'warn',
    /only when tried again/,
  ],
  ['several reports count together', { tests: { minimum: 16 } }, [tests(), tests()], 'pass', /16 tests/],
  ['no report fails', { tests: { minimum: 0 } }, [], 'fail', /no report/],
  ['enough coverage passes', { coverage: { lines: 80 } }, [coverage(80)], 'pass', /line 80 % of 80 %/],
  [
    'coverage is never rounded up to the bar',
    { coverage: { lines: 80 } },
    [coverage(79.96)],
    'fail',
    /79\.9 %, below 80 %/,
  ],
  [
    'branches that the report does not tell fail',
    { coverage: { branches: 50 } },
    [coverage(90)],
    'fail',
    /branch coverage is not in the report/i,
  ],
  [
    'an unreadable report fails',
    { coverage: { lines: 0 } },
    [coverage(90), unreadable],
    'fail',
    /cannot be read: it is empty/,
  ],
  [
    'changed lines count',
    { coverage: { changed: 90 } },
    [coverage(99, { changed: { percent: 50 } })],
    'fail',
    /changed-line coverage is 50 %/i,
  ],
  [
    'a change that nobody knows is red where changed lines are asked for',
    { coverage: { changed: 90 } },
    [coverage(99, { changeProblem: 'the report tells no lines' })],
    'fail',
    /Changed-line coverage is unknown: the report tells no lines/,
  ],
  [
    'and nothing else asks for it',
    { coverage: { lines: 90 } },
    [coverage(99, { changeProblem: 'the report tells no lines' })],
    'pass',
    /line 99 %/,
  ],
  ['a change without executable lines passes', { coverage: { changed: 90 } }, [coverage(10)], 'pass', /has not fallen/],
  [
    'a high finding blocks and says its cure',
    { vulnerabilities },
    [scan([finding('low'), finding('high')])],
    'fail',
    /1 high; the first is CVE-2026-1 in openssl 3\.0\.1 \(fixed in 3\.0\.2\)/,
  ],
  ['a low finding warns', { vulnerabilities }, [scan([finding('low')])], 'warn', /1 low/],
  [
    'an unknown severity neither blocks nor warns unless asked',
    { vulnerabilities },
    [scan([finding('unknown')])],
    'pass',
    /nothing that blocks/i,
  ],
  [
    'what a scanner could not scan proves nothing',
    { vulnerabilities },
    [scan([], { flaw: 'it has scanned nothing' })],
    'fail',
    /proves nothing/,
  ],
  ['findings beyond what is kept block', { vulnerabilities }, [scan([], { unlisted: 3 })], 'fail', /3 more/],
  [
    'unfixed ones may be left out',
    { vulnerabilities: { ...vulnerabilities, ignoreUnfixed: true } },
    [scan([{ id: 'CVE-2', kind: 'vulnerability', severity: 'critical', where: 'x 1', title: '' }])],
    'pass',
    /nothing that blocks/i,
  ],
  [
    'a secret blocks whatever its severity',
    { secrets: true },
    [scan([finding('low', { kind: 'secret', where: '.env:3' })])],
    'fail',
    /1 secret found.*\.env:3/,
  ],
  ['no secret passes', { secrets: true }, [scan([finding('high')])], 'pass', /no secret/i],
  [
    'a bill of materials passes',
    { sbom: true },
    [{ kind: 'sbom', format: 'CycloneDX 1.6', components: 3 }],
    'pass',
    /3 components/,
  ],
  ['a missing one fails', { sbom: true }, [tests()], 'fail', /no report/],
]

describe('gates', () => {
  test.for(cases)('%s', ([, policy, contents, verdict, text]) => {
    expect(judge(policy, contents)).toMatchObject({ verdict, text: expect.stringMatching(text) })
  })

  test('coverage may fall by what is allowed against what runs there, by the same report', () => {
    const previous = evidence(coverage(90))
    expect(judge({ coverage: { drop: 2 } }, [coverage(88)], { previous })).toMatchObject({ verdict: 'pass' })
    expect(judge({ coverage: { drop: 2 } }, [coverage(87.9)], { previous })).toMatchObject({
      verdict: 'fail',
      text: expect.stringContaining('fell by 2.1 points'),
    })
    expect(judge({ coverage: { drop: 2 } }, [coverage(10)])).toMatchObject({ verdict: 'pass' })
  })

  test('a waiver counts until the end of its last day, and then says that it has expired', () => {
    const waivers = [{ id: 'CVE-2026-1', reason: 'not reachable', expiresAt: now }]
    const policy = { vulnerabilities }
    expect(judge(policy, [scan([finding('high')])], { waivers, now: now - 1 })).toMatchObject({
      verdict: 'pass',
      text: expect.stringContaining('1 waived'),
    })
    expect(judge(policy, [scan([finding('high')])], { waivers, now: now + day })).toMatchObject({
      verdict: 'fail',
      text: expect.stringContaining('the waiver of CVE-2026-1 has expired'),
    })
  })

  test('a build that took too long fails, and one that nobody timed too', () => {
    const policy = { time: { buildMs: 600_000 } }
    expect(judge(policy, [], { buildMs: 599_000 })).toMatchObject({
      verdict: 'pass',
      text: 'The build took 599 s of 600 s.',
    })
    expect(judge(policy, [], { buildMs: 601_000 })).toMatchObject({ verdict: 'fail' })
    expect(judge(policy, [])).toMatchObject({ verdict: 'fail' })
  })

  test('a policy that asks for nothing has no gate', () => {
    expect(judgeGates({}, noFacts)).toEqual([])
  })
})

describe('the changed lines of a coverage report', () => {
  const lcov = 'SF:app.ts\nDA:1,1\nDA:2,0\nend_of_record\n'
  const summary = '{"total":{"lines":{"total":4,"covered":3,"skipped":0,"pct":75}}}'

  test('are unknown without the change, or in a report without lines, and nothing where the change has none', () => {
    const change = new Map([['app.ts', new Set([2])]])
    expect(readEvidence('coverage', lcov, change)).toMatchObject({ changed: { covered: 0, total: 1 } })
    expect(readEvidence('coverage', lcov, undefined)).toMatchObject({
      changeProblem: expect.stringContaining('commit'),
    })
    expect(readEvidence('coverage', summary, change)).toMatchObject({ changeProblem: 'the report tells no lines' })
    const known = readEvidence('coverage', lcov, new Map())
    expect(known).not.toHaveProperty('changed')
    expect(known).not.toHaveProperty('changeProblem')
  })
})
