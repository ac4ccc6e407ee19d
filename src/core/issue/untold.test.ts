import { expect, test } from 'vitest'
import { issueUntold } from './untold.ts'

const report = { application: 'shop', subject: 'run_1', what: 'run #1', isGreen: false, problem: 'It said no.\nLook.' }

test('what the forge was not told says why, what to do, and when it is tried again', () => {
  expect(issueUntold({ ...report, nextAt: Date.UTC(2026, 0, 2, 3, 4) })).toEqual({
    code: 'ISSUE_UNREPORTED',
    message: 'The forge was not told that run #1 failed: It said no.',
    hint: 'Look. It is tried again from 2026-01-02 03:04 UTC on, while an agent runs.',
  })
  expect(issueUntold({ ...report, isGreen: true, problem: 'It said no.' })).toMatchObject({
    message: 'The forge was not told that run #1 is green: It said no.',
    hint: 'It is not tried any more.',
  })
})
