import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { RunView } from '#core/view/model.ts'
import { failureTails, jobLogPath, sliceOfLines } from './job-log.ts'
import { parseLineRange } from './pairs.ts'

/** More than two of the pieces that are read at a time, each line of another length. */
const lines = Array.from({ length: 300_000 }, (_, index) => `line ${index + 1}`)
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shipway-log-'))
  await writeFile(join(folder, 'job.log'), `${lines.join('\n')}\n`)
})
afterAll(() => rm(folder, { recursive: true }))

async function taken(range: string, start = 0, end?: number): Promise<readonly string[]> {
  const whole = { name: 'job', path: join(folder, 'job.log'), start, ...(end === undefined ? {} : { end }) }
  const slice = await sliceOfLines(whole, parseLineRange('--lines')(range))
  const text = (await readFile(slice.path)).subarray(slice.start, slice.end).toString()
  return text.split('\n').slice(0, -1)
}

test.for<readonly [range: string, expected: readonly string[]]>([
  ['1', ['line 1']],
  ['299999-', ['line 299999', 'line 300000']],
  ['150000-150002', ['line 150000', 'line 150001', 'line 150002']],
  ['300000-400000', ['line 300000']],
  ['300001-', []],
])('lines %s of a long log are these and no others', async ([range, expected]) => {
  expect(await taken(range)).toEqual(expected)
})

test('every line is reached, also where one piece ends and the next begins', async () => {
  const perPiece = lines
    .join('\n')
    .slice(0, 1024 * 1024)
    .split('\n').length
  for (const line of [perPiece - 1, perPiece, perPiece + 1]) expect(await taken(String(line))).toEqual([`line ${line}`])
})

test('of a step its own lines are counted', async () => {
  const start = 'line 1\nline 2\n'.length
  expect(await taken('2-', start, start + 'line 3\nline 4\nline 5\n'.length)).toEqual(['line 4', 'line 5'])
})

test.for(['0', '-3', '3-2', 'all', '1,2', ''])('%j are no lines', (value) => {
  expect(() => parseLineRange('--lines')(value)).toThrow('--lines takes a line')
})

test('the last lines of a failed step are short ones, however long they are in the log', async () => {
  const log = `${'0'.repeat(40_000)}\n##[error]spawn E2BIG\n`
  const path = jobLogPath(folder, 'run_1', { key: 'a', attempt: 1 })
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, log)
  const step = { number: 1, name: 'Run x', outcome: 'failure', conclusion: 'failure', logStart: 0, logEnd: log.length }
  const run = { id: 'run_1', jobs: [{ key: 'a', attempt: 1, conclusion: 'failure', steps: [step] }] }

  const [tail] = await failureTails(folder, run as unknown as RunView, 12)

  expect(tail?.lines.map((line) => line.length)).toEqual([501, '##[error]spawn E2BIG'.length])
})
