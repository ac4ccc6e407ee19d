import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { parseLogIndex, readLogPart } from '#core/step/log-index.ts'
import type { LogLine, LogPart, LogRecord } from '#core/step/log-index.ts'
import type { RunView, StepView } from '#core/view/model.ts'
import type { FailureTail } from './live/ending.ts'
import { withoutHeader } from './live/step-log.ts'
import type { LineRange } from './pairs.ts'
import type { Session } from './session.ts'
import { drained } from './sink.ts'
import type { Sink } from './sink.ts'

/** Bytes of a log's end that are read to show its last lines. */
const tailBytesMax = 64 * 1024
/** Characters of one of these lines: a value of a megabyte is no evidence. */
const tailLineLengthMax = 500
/** Failed steps whose last lines are shown at the end of a run. */
const failedStepsMax = 3

/** Path of the log of one job attempt. */
export function jobLogPath(
  home: string,
  runId: string,
  job: { readonly key: string; readonly attempt: number },
): string {
  return join(home, homeLayout.log(runId, job.key, job.attempt))
}

/** Bytes `start` up to `end` of a file; what is not there (yet) is empty. */
export async function readRange(path: string, start: number, end: number): Promise<Buffer> {
  const file = await open(path, 'r').catch(() => undefined)
  if (file === undefined) return Buffer.alloc(0)
  try {
    const size = Math.max(0, Math.min(end, (await file.stat()).size) - start)
    const buffer = Buffer.alloc(size)
    const { bytesRead } = await file.read(buffer, 0, size, start)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** The last lines of every step that made a job red. */
export async function failureTails(home: string, run: RunView, linesMax: number): Promise<readonly FailureTail[]> {
  const tails: FailureTail[] = []
  for (const job of run.jobs.filter((candidate) => candidate.conclusion === 'failure')) {
    for (const step of job.steps.filter((candidate) => candidate.conclusion === 'failure')) {
      if (tails.length === failedStepsMax) return tails
      const lines = await lastLines(jobLogPath(home, run.id, job), step, linesMax)
      if (lines.length > 0) tails.push({ job, step, lines })
    }
  }
  return tails
}

async function lastLines(path: string, step: StepView, linesMax: number): Promise<readonly string[]> {
  if (step.logStart === undefined) return []
  const end = step.logEnd ?? step.logStart + tailBytesMax
  const start = Math.max(step.logStart, end - tailBytesMax)
  const records = parseLogIndex(await readFile(`${path}.idx`, 'utf8').catch(() => ''))
  const part = readLogPart(await readRange(path, start, end), records, { offset: start, isComplete: true })
  const lines = linesOf(part, records, step.number).map(({ text }) => text)
  return withoutHeader(step.number === 0 ? withoutFacts(lines) : lines)
    .slice(-linesMax)
    .map((line) => (line.length <= tailLineLengthMax ? line : `${line.slice(0, tailLineLengthMax)}…`))
}

/** "Set up job" begins with what the job is: nothing of it says why it failed. */
function withoutFacts(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.startsWith('##[error]'))
  return first === -1 ? lines : lines.slice(first)
}

/** Steps that run beside each other have written among each other. Without an index nobody knows whose a line is. */
function linesOf(part: LogPart, records: readonly LogRecord[], step: number | undefined): readonly LogLine[] {
  if (step === undefined || records.length === 0) return part.lines
  return part.lines.filter((line) => line.step === step)
}

/** A part of a job's log that is to be shown. */
export interface LogSlice {
  /** Of the job. */
  readonly name: string
  readonly path: string
  /** Bytes; `end` is absent for "as far as it goes". */
  readonly start: number
  readonly end?: number
  /** Number of the one step whose lines are shown. */
  readonly only?: number
}

export interface LogStyle {
  /** The job's name in front of each line. */
  readonly isLabelled: boolean
  readonly hasTimes: boolean
  readonly tail?: number
}

/** Bytes of a log that are in memory at one time. */
const chunkBytes = 1024 * 1024

/** Prints a slice in pieces, so that a log of any length costs the same memory. */
export async function printLog(session: Session, slice: LogSlice, style: LogStyle): Promise<void> {
  const size = (await stat(slice.path).catch(() => undefined))?.size ?? 0
  const end = Math.min(slice.end ?? size, size)
  const start =
    style.tail === undefined
      ? slice.start
      : await startOfTail(slice.path, { start: slice.start, end, lines: style.tail })
  const records =
    style.hasTimes || slice.only !== undefined
      ? parseLogIndex(await readFile(`${slice.path}.idx`, 'utf8').catch(() => ''))
      : []
  const label = style.isLabelled ? `${session.out.paint('cyan', slice.name)} ${session.out.paint('dim', '│')} ` : ''
  for (let offset = start; offset < end;) {
    const isLast = end - offset <= chunkBytes
    const bytes = await readRange(slice.path, offset, Math.min(end, offset + chunkBytes))
    const part = readLogPart(bytes, records, { offset, isComplete: isLast })
    const lines = linesOf(part, records, slice.only).map(
      ({ atMs, text }) =>
        `${label}${style.hasTimes ? `${new Date(atMs).toISOString()} ` : ''}${session.world.isTTY ? session.out.foreign(text) : text}\n`,
    )
    if (lines.length > 0) await writeText(session.world.stdout, lines.join(''))
    // A single line that is longer than a piece: given out as it is.
    if (part.nextOffset === offset) await writeText(session.world.stdout, bytes.toString('utf8'))
    offset = part.nextOffset === offset ? offset + bytes.length : part.nextOffset
    if (bytes.length === 0) return
  }
}

/** Where the last lines of a range begin: read backwards, piece by piece. */
export async function startOfTail(
  path: string,
  range: { readonly start: number; readonly end: number; readonly lines: number },
): Promise<number> {
  let missing = range.lines
  for (let end = range.end; end > range.start;) {
    const start = Math.max(range.start, end - chunkBytes)
    const bytes = await readRange(path, start, end)
    for (let at = bytes.length - (end === range.end && bytes.at(-1) === 0x0a ? 2 : 1); at >= 0; at -= 1) {
      if (bytes[at] === 0x0a && (missing -= 1) === 0) return start + at + 1
    }
    end = start
  }
  return range.start
}

/** The bytes of some lines of a slice: nothing is decoded on the way, so that a line far behind costs little more than one in front. */
export async function sliceOfLines<Of extends LogSlice>(slice: Of, range: LineRange): Promise<Of> {
  const size = (await stat(slice.path).catch(() => undefined))?.size ?? 0
  const end = Math.min(slice.end ?? size, size)
  const start = await offsetAfter(slice.path, { start: slice.start, end, lines: range.from - 1 })
  if (range.to === undefined) return { ...slice, start, end }
  return { ...slice, start, end: await offsetAfter(slice.path, { start, end, lines: range.to - range.from + 1 }) }
}

/** Where a number of lines has passed: read forwards, piece by piece. The end where there are not so many. */
async function offsetAfter(
  path: string,
  range: { readonly start: number; readonly end: number; readonly lines: number },
): Promise<number> {
  let missing = range.lines
  for (let start = range.start; missing > 0 && start < range.end;) {
    const bytes = await readRange(path, start, Math.min(range.end, start + chunkBytes))
    if (bytes.length === 0) return range.end
    for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
      if ((missing -= 1) === 0) return start + at + 1
    }
    start += bytes.length
  }
  return missing === 0 ? range.start : range.end
}

/** Waits until a slow reader has taken the text, so that nothing piles up. */
async function writeText(sink: Sink, text: string): Promise<void> {
  sink.write(text)
  await drained(sink)
}
