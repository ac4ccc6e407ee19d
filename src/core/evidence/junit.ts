import { read, unreadable } from './reading.ts'
import type { Reading } from './reading.ts'
import { numberAttribute, readXml } from './xml-report.ts'
import type { XmlElement } from './xml-report.ts'

/** Numbers of tests. `tests` is the sum of the others. */
export interface TestCounts {
  readonly tests: number
  readonly passed: number
  readonly failures: number
  readonly errors: number
  readonly skipped: number
}

/** What a report says of one test that is not green. */
export interface TestProblem {
  /** Suite path, class and name: the same test has the same one in every run. */
  readonly id: string
  readonly kind: 'failure' | 'error'
  /** First line of its message, without colours. */
  readonly message: string
  readonly file?: string
  readonly line?: number
}

/** Numbers that a report claims. */
export type Declared = Partial<Omit<TestCounts, 'passed'>>

export interface TestReport {
  /** Counted from the `<testcase>` elements. */
  readonly counted: TestCounts
  /** Sums of the suites' attributes as written: they may say more, or less, than the elements. */
  readonly declared: Declared
  /** Attributes of the root as written: they may say more, or less, than both. */
  readonly declaredByRoot: Declared
  /** Passed only when tried again. */
  readonly flaky: readonly string[]
  readonly problems: readonly TestProblem[]
  /** Seconds, where the report says. */
  readonly seconds?: number
}

/** Roots of test reports that are not JUnit. */
const otherFormats: Readonly<Record<string, string>> = {
  'test-run': 'NUnit 3',
  'test-results': 'NUnit 2',
  TestRun: 'TRX of Visual Studio',
  assemblies: 'xUnit.net',
}

/** Problems of one report that are kept whole; the numbers count all. */
const problemsMax = 200
const messageLengthMax = 500

const declaredNames = ['tests', 'failures', 'errors', 'skipped'] as const

/**
 * Reads a JUnit report (no official schema: what real writers do is described by testmoapp/junitxml and by Jenkins' xunit). Elements are counted and
 * attributes summed, because neither alone can be trusted: see `redTests`.
 */
export function readJUnit(text: string): Reading<TestReport> {
  const xml = readXml(text)
  if (xml.kind === 'unreadable') return xml
  const root = xml.report
  if (root.name !== 'testsuites' && root.name !== 'testsuite') {
    const known = otherFormats[root.name]
    return unreadable(`not JUnit (root <${root.name}>)${known === undefined ? '' : `: it is a report of ${known}`}`)
  }
  const cases = [...casesOf(root, '')]
  const states = cases.map(({ element }) => stateOf(element))
  const count = (state: TestState): number => states.filter((other) => other === state).length
  const seconds = numberAttribute(root, 'time')
  return read({
    counted: {
      tests: cases.length,
      passed: count('passed'),
      failures: count('failure'),
      errors: count('error'),
      skipped: count('skipped'),
    },
    declared: declaredOf(root.name === 'testsuite' ? [root] : root.children.filter(({ name }) => name === 'testsuite')),
    declaredByRoot: declaredOf([root]),
    flaky: cases.filter(({ element }) => isFlaky(element)).map((test) => idOf(test)),
    problems: cases
      .filter((_, index) => states[index] === 'failure' || states[index] === 'error')
      .slice(0, problemsMax)
      .map((test) => problemOf(test)),
    ...(seconds === undefined ? {} : { seconds }),
  })
}

/** How many tests are red: the worse of what the elements and the attributes say (a suite that does not compile has no case). */
export function redTests({ counted, declared, declaredByRoot }: TestReport): number {
  return Math.max(...[counted, declared, declaredByRoot].map(({ failures = 0, errors = 0 }) => failures + errors))
}

type TestState = 'passed' | 'failure' | 'error' | 'skipped'

interface TestCase {
  readonly element: XmlElement
  readonly suite: string
}

function* casesOf(element: XmlElement, suite: string): Generator<TestCase> {
  for (const child of element.children) {
    if (child.name === 'testcase') yield { element: child, suite }
    else if (child.name === 'testsuite') {
      const name = child.attributes['name'] ?? ''
      yield* casesOf(child, suite === '' || name === '' ? suite + name : `${suite} > ${name}`)
    }
  }
}

/** `<skipped>` wins: a test that is marked "todo" may fail (node:test). */
function stateOf(element: XmlElement): TestState {
  const has = (name: string): boolean => element.children.some((child) => child.name === name)
  if (has('skipped')) return 'skipped'
  if (has('error')) return 'error'
  return has('failure') ? 'failure' : 'passed'
}

function isFlaky(element: XmlElement): boolean {
  return element.children.some((child) => child.name === 'flakyFailure' || child.name === 'flakyError')
}

/** Sums of the attributes of the suites; a root that is a suite counts as one. */
function declaredOf(suites: readonly XmlElement[]): Declared {
  return Object.fromEntries(
    declaredNames.flatMap((name) => {
      const parts = suites.flatMap((suite) => numberAttribute(suite, name) ?? [])
      return parts.length === 0 ? [] : [[name, parts.reduce((sum, part) => sum + part, 0)]]
    }),
  )
}

function idOf({ element, suite }: TestCase): string {
  const { classname, name = '' } = element.attributes
  return [suite, classname === suite ? undefined : classname, name]
    .filter((part) => part !== undefined && part !== '')
    .join(' > ')
}

function problemOf(test: TestCase): TestProblem {
  const { element } = test
  const problem = element.children.find(({ name }) => name === 'error' || name === 'failure')
  const said = problem?.attributes['message'] ?? problem?.text ?? ''
  const line = numberAttribute(element, 'line')
  const { file } = element.attributes
  return {
    id: idOf(test),
    kind: problem?.name === 'error' ? 'error' : 'failure',
    message: firstLine(said),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  }
}

/** The first line that says something, without the colours of a terminal. */
function firstLine(text: string): string {
  // eslint-disable-next-line no-control-regex
  const plain = text.replaceAll(/\u001B\[[0-9;]*[A-Za-z]/g, '')
  const line = plain.split('\n').find((candidate) => candidate.trim() !== '') ?? ''
  return line.trim().slice(0, messageLengthMax)
}
