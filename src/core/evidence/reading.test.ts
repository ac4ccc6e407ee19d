import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changedLineShare, readCoverage } from './coverage.ts'
import { readCycloneDx } from './cyclonedx.ts'
import { readJUnit, redTests } from './junit.ts'
import { readSarif } from './sarif.ts'
import { readSonarGate } from './sonarqube.ts'
import { readTrivy } from './trivy.ts'

const readers = { readJUnit, readCoverage, readTrivy, readSarif, readCycloneDx, readSonarGate }

const junit = `<?xml version="1.0"?>
<testsuites tests="3"><testsuite name="math" tests="3" failures="1">
  <testcase classname="math" name="adds"/>
  <testcase classname="math" name="divides" file="math.ts" line="7"><failure message="&lt;0> is not 1">trace</failure></testcase>
  <testcase classname="math" name="roots"><skipped/><failure message="todo"/></testcase>
</testsuite></testsuites>`

const lcov = 'TN:\nSF:src/a.ts\nDA:1,1\nDA:2,0\nDA:3,4\nBRDA:2,0,jump to line 3, or 4,-\nLF:3\nLH:2\nend_of_record\n'

describe('a report', () => {
  test.for(Object.entries(readers))('that is empty, or of another kind, is unreadable: %s', ([, reader]) => {
    for (const text of ['', ' \n', 'hello', '{}', '[]', '<html></html>', '{"version":"9"}']) {
      expect(reader(text)).toMatchObject({ kind: 'unreadable', problem: expect.stringMatching(/./) })
    }
  })

  test.for(Object.entries(readers))('of any content never makes a reader throw: %s', ([, reader]) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.string().map((text) => `<testsuites>${text}`),
        ),
        (text) => {
          void reader(text)
        },
      ),
    )
  })

  test('that was cut off anywhere is unreadable', () => {
    const trivy =
      '{"SchemaVersion":2,"Results":[{"Target":"a","Vulnerabilities":[{"VulnerabilityID":"CVE-1","Severity":"HIGH"}]}]}'
    for (const [reader, text] of [
      [readJUnit, junit],
      [readCoverage, lcov.trimEnd()],
      [readTrivy, trivy],
    ] as const) {
      expect(reader(text)).toMatchObject({ kind: 'read' })
      for (let end = 0; end < text.length; end += 1) {
        expect(reader(text.slice(0, end)), `cut at ${end}`).toMatchObject({ kind: 'unreadable' })
      }
    }
  })

  test('with a document type that names a file or a bomb stays what it is', () => {
    const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`
    const reading = readJUnit(
      `${bomb}<testsuites><testsuite name="&b;"><testcase name="&b;"/></testsuite></testsuites>`,
    )
    expect(JSON.stringify(reading).length).toBeLessThan(2000)
  })
})

describe('a test report', () => {
  test('has the first line of a message also where line breaks and letters are written by number', () => {
    const text = `<testsuite tests="1"><testcase name="&#228;"><failure message="one &amp;#10; &#x41;&#10;two"/></testcase></testsuite>`

    expect(readJUnit(text)).toMatchObject({ report: { problems: [{ id: 'ä', message: 'one &#10; A' }] } })
  })

  test('counts elements, knows its problems, and takes skipped before failed', () => {
    const reading = readJUnit(junit)
    expect(reading).toMatchObject({
      report: {
        counted: { tests: 3, passed: 1, failures: 1, skipped: 1 },
        problems: [{ id: 'math > divides', kind: 'failure', message: '<0> is not 1', file: 'math.ts', line: 7 }],
      },
    })
  })

  test('is red when either its elements or its attributes are', () => {
    const red = (text: string): number => {
      const reading = readJUnit(text)
      return reading.kind === 'read' ? redTests(reading.report) : -1
    }
    expect(
      red(
        '<testsuites><testsuite tests="0" failures="0"><testcase name="a"><failure/></testcase></testsuite></testsuites>',
      ),
    ).toBe(1)
    expect(red('<testsuites><testsuite tests="6" errors="2"></testsuite></testsuites>')).toBe(2)
    expect(red('<testsuites errors="1"><testsuite tests="6"></testsuite></testsuites>')).toBe(1)
  })
})

describe('coverage of a change', () => {
  const reading = readCoverage(lcov)
  const report = reading.kind === 'read' ? reading.report : undefined
  const share = (path: string, lines: readonly number[]) =>
    report === undefined ? undefined : changedLineShare(report, new Map([[path, new Set(lines)]]))

  test('counts the changed lines that can be executed', () => {
    expect(share('src/a.ts', [1, 2, 9])).toEqual({ covered: 1, total: 2, percent: 50 })
  })

  test('finds a file that the report names below another folder', () => {
    expect(share('packages/x/src/a.ts', [2])).toEqual({ covered: 0, total: 1, percent: 0 })
  })

  test('says nothing of a change without such lines', () => {
    expect(share('README.md', [1])).toBeUndefined()
    expect(share('src/a.ts', [9])).toBeUndefined()
  })
})
