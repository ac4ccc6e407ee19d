import { describe, expect, test } from 'vitest'
import type { DeploymentReceipt } from '#core/deployment/receipt.ts'
import { receiptLines, receiptSummary } from './receipt.ts'
import { renderSize } from './size.ts'

const receipt: DeploymentReceipt = {
  targets: [{ name: 'a', sentFiles: 3, sentBytes: 12_345, phases: { prepare: 80, switch: 210, confirm: 9 } }],
  phases: { prepare: 80, switch: 210, verify: 19, confirm: 9 },
  totalMs: 1340,
  traffic: { url: 'http://a/healthz', requests: 214, failures: 0, resets: 0, failingMs: 0, hadPrevious: true },
  health: { url: 'http://a/healthz', answers: 1, milliseconds: 19, last: 'it answered 200' },
}

describe('a receipt in one line', () => {
  test('says what clients saw and what was sent', () => {
    expect(receiptSummary(receipt)).toBe('214 requests, 0 failed · 3 files, 12 kB sent')
  })

  test('says how long requests failed, and how', () => {
    const traffic = { url: 'u', requests: 300, failures: 7, resets: 2, failingMs: 130, hadPrevious: true }
    expect(receiptSummary({ ...receipt, targets: [], traffic })).toBe(
      '300 requests, 7 failed (2 connections broken, within 130 ms)',
    )
  })

  test('claims nothing of requests where nothing ran before', () => {
    const traffic = { url: 'u', requests: 40, failures: 38, resets: 0, failingMs: 400, hadPrevious: false }
    expect(receiptSummary({ ...receipt, traffic })).toBe('3 files, 12 kB sent')
  })

  test('adds the targets up, and tells a rollback from a transfer', () => {
    const target = { name: 'b', sentFiles: 0, sentBytes: 0, phases: {} }
    expect(receiptSummary({ targets: [target], phases: {}, totalMs: 1 })).toBe('nothing to send')
    expect(receiptSummary({ targets: [...receipt.targets, target], phases: {}, totalMs: 1 })).toBe(
      '3 files, 12 kB sent to 2 targets',
    )
  })

  test('is empty when nothing was measured', () => {
    expect(receiptSummary({ targets: [{ name: 'a', phases: {} }], phases: {}, totalMs: 5 })).toBe('')
  })
})

test.for([
  [{ workers: 2, milliseconds: 180, left: 0 }, 'a: 2 workers drained in 180 ms'],
  [{ workers: 1, milliseconds: 40, left: 0 }, 'a: 1 worker drained in 40 ms'],
  [{ workers: 2, milliseconds: 30_000, left: 1 }, 'a: 1 of 2 workers still busy after 30s: their requests were cut'],
] as const)('a receipt tells what became of the workers of before: %o', ([drained, line]) => {
  const { targets: _, ...rest } = receipt
  expect(receiptLines({ ...rest, targets: [{ name: 'a', drained, phases: {} }] })).toContain(line)
  expect(receiptSummary({ targets: [{ name: 'a', drained, phases: {} }], phases: {}, totalMs: 1 })).toBe(line.slice(3))
})

test('a receipt in one line adds up the drained workers of all targets', () => {
  const targets = [
    { name: 'a', drained: { workers: 2, milliseconds: 180, left: 0 }, phases: {} },
    { name: 'b', drained: { workers: 4, milliseconds: 90, left: 0 }, phases: {} },
  ]
  expect(receiptSummary({ ...receipt, targets })).toBe('214 requests, 0 failed · 6 workers drained in 180 ms')
})

test('a receipt in full names phases, requests, health and each target', () => {
  expect(receiptLines(receipt)).toEqual([
    'took 1.3s: prepare 80 ms, switch 210 ms, verify 19 ms, confirm 9 ms',
    '214 requests, 0 failed at http://a/healthz meanwhile',
    'http://a/healthz was asked once in 19 ms: it answered 200',
    'a: 3 files, 12 kB sent; prepare 80 ms, switch 210 ms, confirm 9 ms',
  ])
})

test.for([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [9_960, '10 kB'],
  [999_600, '1.0 MB'],
  [1_400_000, '1.4 MB'],
  [5e15, '5000 TB'],
] as const)('%i bytes are %s', ([bytes, text]) => {
  expect(renderSize(bytes)).toBe(text)
})
