import { describe, expect, test } from 'vitest'
import type { Outcome } from './model.ts'
import { fixedIssues, issueBody, issueMarker, issueTitle } from './text.ts'

const outcome: Outcome = {
  application: 'shop',
  workflow: 'CI --> evil',
  subject: 'run_1',
  isGreen: false,
  what: 'run #12',
  stages: ['test', 'lint `@everybody`'],
  ref: 'refs/heads/main',
  sha: '8556dce0f1e2d3c4b5a6978877665544332211ff',
  status: [
    { name: 'build', conclusion: 'success' },
    { name: 'test', conclusion: 'failure' },
  ],
  fixes: [],
}

describe('an issue about a failure', () => {
  test('tells stage, run, branch, commit, status and where the log is', () => {
    expect(issueTitle(outcome)).toBe('CI --> evil failed: test, lint `@everybody`')
    expect(issueBody(outcome, { link: 'https://ci.example.org/runs/{id}' })).toBe(`${issueMarker(outcome)}
- Stage: \`test\`, \`lint @everybody\`
- Run: \`run #12\` (\`run_1\`)
- Branch: \`main\`
- Commit: \`8556dce0f1e2d3c4b5a6978877665544332211ff\`
- Status: \`build\` success, \`test\` failure
- Logs: https://ci.example.org/runs/run_1

The next green one closes this issue; so does "Fix issue #N" in a commit of a green run.
`)
  })

  test('has a mark that no name of a workflow can end, and that is another one for each environment', () => {
    const marks = [outcome, { ...outcome, environment: 'live' }, { ...outcome, workflow: 'CI' }].map(issueMarker)

    expect(new Set(marks).size).toBe(3)
    for (const mark of marks) expect(mark.indexOf('-->')).toBe(mark.length - 3)
  })
})

test.for<readonly [string, readonly number[]]>([
  ['Fix issue #12', [12]],
  ['fixes #1, closes: #2 and resolved issue #3', [1, 2, 3]],
  ['Fix #4\n\nFix issue #4', [4]],
  ['see #5', []],
  ['prefix #6', []],
  ['the words `Fix issue #7` in code', []],
])('%j says that it fixes %j', ([message, numbers]) => {
  expect(fixedIssues(message)).toEqual(numbers)
})
