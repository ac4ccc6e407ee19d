import { expect, test } from 'vitest'
import { compare, measure, median } from './compare.ts'
import { atMost, fasterBy, renderTable, skipped } from './row.ts'

test.for([
  [[3], 3],
  [[5, 1, 3], 3],
  [[4, 1, 3, 2], 2.5],
] as const)('the median of %j is %d', ([values, expected]) => {
  expect(median(values)).toBe(expected)
})

test('contenders take turns, each round starts with another, and the first round does not count', async () => {
  const order: string[] = []
  const contender = (name: string, first: number) => {
    let next = first
    return { name, run: async () => (order.push(name), next++) }
  }

  const samples = await measure([contender('a', 1000), contender('b', 0)], 3)

  expect(order.join('')).toBe('abbaabba')
  expect(samples).toEqual([
    { name: 'a', medianMs: 1002, minMs: 1001, maxMs: 1003, runs: 3 },
    { name: 'b', medianMs: 2, minMs: 1, maxMs: 3, runs: 3 },
  ])
})

test('a bar is met or missed by the ratio of the medians', async () => {
  const fixed = (name: string, ms: number) => ({ name, run: async () => ms })
  const slower = await compare(fixed('ours', 50), fixed('theirs', 20), 1)
  const faster = await compare(fixed('ours', 20), fixed('theirs', 60), 1)

  expect(atMost(2.5, 'start', slower)).toMatchObject({ measured: '2.50 ×', verdict: 'met' })
  expect(atMost(2, 'start', slower)).toMatchObject({ verdict: 'missed' })
  expect(fasterBy(3, 'graph', faster)).toMatchObject({ measured: '3.00 × faster', verdict: 'met' })
  expect(fasterBy(3, 'graph', slower)).toMatchObject({ measured: '0.40 × faster', verdict: 'missed' })
})

test('the table is Markdown, and a skipped line keeps its reason', () => {
  expect(renderTable([skipped('graph', '≥ 3 × faster', 'no network')])).toBe(
    [
      '| what | ours | reference | measured | bar |  | note |',
      '| --- | --- | --- | --- | --- | --- | --- |',
      '| graph |  |  |  | ≥ 3 × faster | skipped | no network |',
    ].join('\n'),
  )
})
