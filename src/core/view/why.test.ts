import { expect, test } from 'vitest'
import type { EnvironmentView } from './model.ts'
import { nothingWaits, whyAnything, whyEnvironment } from './why.ts'

const place: EnvironmentView = {
  application: 'shop',
  name: 'prod',
  after: ['staging'],
  from: ['main'],
  isConfigured: true,
  open: [],
  waitingJobs: [],
}

test('an environment tells all of its rules, also those that only a release or the clock fulfils', () => {
  const { items } = whyEnvironment({ ...place, soakMs: 5000, freeze: ['holidays'], gates: ['tests', 'coverage'] })

  expect(items.map(({ message }) => message)).toEqual([
    'It takes only what staging has verified.',
    'It takes only main.',
    'It takes what staging has run for 5s.',
    'It is frozen at times: holidays.',
    'Its gates ask for evidence: tests, coverage.',
  ])
})

test('rules that are written but stop nothing now are nothing that waits', () => {
  expect(whyAnything([], [{ ...place, gates: ['tests'] }])).toEqual({
    subject: 'everything',
    state: nothingWaits,
    items: [],
  })
})
