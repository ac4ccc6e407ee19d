import { describe, expect, test } from 'vitest'
import type { RunEvent } from '#core/run/event.ts'
import type { FollowItem } from '#ports/agent-client.ts'
import { logFilter } from './log-filter.ts'
import type { LogChoice, LogFilterStart } from './log-filter.ts'

const ok = { status: 'done', outcome: 'success', conclusion: 'success' } as const
const red = { status: 'done', outcome: 'failure', conclusion: 'failure' } as const

/** Two legs of a matrix, each with two steps; the second of the first leg fails. */
const story: readonly FollowItem[] = [
  happens({ type: 'run.started' }),
  happens({
    type: 'job.planned',
    job: 'test',
    legs: [
      { key: 'test.0', name: 'test (20)' },
      { key: 'test.1', name: 'test (22)' },
    ],
  }),
  ...['test.0', 'test.1'].flatMap((key): FollowItem[] => [
    happens({ type: 'job.started', key, name: key, attempt: 1 }),
    happens({
      type: 'step.started',
      key,
      attempt: 1,
      step: { number: 1, id: 'a', name: 'Install', status: 'running' },
    }),
    log(key, `${key} installing\n`),
    happens({ type: 'step.finished', key, attempt: 1, step: { number: 1, id: 'a', name: 'Install', ...ok } }),
    happens({ type: 'step.started', key, attempt: 1, step: { number: 2, id: 'b', name: 'Unit', status: 'running' } }),
    log(key, `${key} testing\n`),
    happens({
      type: 'step.finished',
      key,
      attempt: 1,
      step: { number: 2, id: 'b', name: 'Unit', ...(key === 'test.0' ? red : ok) },
    }),
    happens({ type: 'job.finished', key, name: key, conclusion: 'success', annotations: [] }),
  ]),
]

test('without a choice everything passes', () => {
  expect(story.map(logFilter({}, { jobs: [] }))).toEqual(story)
})

describe('of a run that is followed', () => {
  test.for<readonly [title: string, choice: LogChoice, lines: readonly string[]]>([
    [
      'a job by its id in the file, all legs',
      { job: 'test' },
      ['0 installing', '0 testing', '1 installing', '1 testing'],
    ],
    ['one leg by its key', { job: 'test.1' }, ['1 installing', '1 testing']],
    ['one leg by its name', { job: 'test (20)' }, ['0 installing', '0 testing']],
    ['a step by its name', { step: 'Unit' }, ['0 testing', '1 testing']],
    ['a step by its number in one leg', { job: 'test.0', step: '1' }, ['0 installing']],
    ['nothing of another job', { job: 'build' }, []],
    ['failed steps, whose lines are read at their end', { failed: true }, []],
  ])('%s', ([, choice, lines]) => {
    expect(linesOf(choice)).toEqual(lines.map((line) => `test.${line}\n`))
  })

  test('only the end of a step that failed passes when failed ones are wanted', () => {
    const passed = story.map(logFilter({ failed: true }, { jobs: [] })).filter((item) => item?.kind === 'event')
    const ends = passed.flatMap((item) =>
      item?.kind === 'event' && 'step' in item.stored.event ? [item.stored.event] : [],
    )

    expect(ends.map((event) => [event.type, event.key, event.step.name])).toEqual([['step.finished', 'test.0', 'Unit']])
  })

  test('only what comes after a byte of the log passes, whatever the pieces', () => {
    const offsets = new Map([['test.0.1', 'test.0 installing\ntest.0 t'.length]])

    expect(linesOf({}, { jobs: [], offsets })).toEqual(['esting\n', 'test.1 installing\n', 'test.1 testing\n'])
  })
})

function linesOf(choice: LogChoice, start: LogFilterStart = { jobs: [] }): readonly string[] {
  const choose = logFilter(choice, start)
  return story.flatMap((item) => {
    const chosen = choose(item)
    return chosen?.kind === 'log' ? [chosen.text] : []
  })
}

function happens(event: RunEvent): FollowItem {
  return { kind: 'event', stored: { subject: 'run_1', seq: 1, at: 1, event } }
}

function log(jobKey: string, text: string): FollowItem {
  return { kind: 'log', runId: 'run_1', jobKey, attempt: 1, text }
}
