/** Where a line of a job's log came from: the step's own output, or the runner itself. */
export type LogStream = 'out' | 'err' | 'system'

/**
 * One entry of `<log>.idx`: everything from `offset` to the next entry was written at `atMs` by this step on this
 * stream. Entries stand for chunks, not lines, so that a step with a million lines has an index of a few kilobytes;
 * an offset is always the start of a line.
 */
export interface LogRecord {
  /** Byte offset in the log. */
  readonly offset: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** `StepReport.number`. */
  readonly step: number
  readonly stream: LogStream
}

/** One line of a log as people see it. */
export interface LogLine {
  readonly atMs: number
  readonly step: number
  readonly stream: LogStream
  /** Without its line end. */
  readonly text: string
}

/** A part of a log that was read: its lines, and where to go on. */
export interface LogPart {
  readonly lines: readonly LogLine[]
  /** Offset of the first byte that is not in `lines`: always the start of a line. */
  readonly nextOffset: number
}

/** One line of the index file: `[offset, atMs, step, stream]`. */
export function renderLogRecord(record: LogRecord): string {
  return `${JSON.stringify([record.offset, record.atMs, record.step, record.stream])}\n`
}

const streams: ReadonlySet<unknown> = new Set<LogStream>(['out', 'err', 'system'])

/** The records of an index file by offset. A torn last line, as a crash leaves it, is left out. */
export function parseLogIndex(text: string): readonly LogRecord[] {
  const records: LogRecord[] = []
  for (const line of text.split('\n')) {
    const record = parseRecord(line)
    if (record !== undefined) records.push(record)
  }
  return records
}

function parseRecord(line: string): LogRecord | undefined {
  if (!line.startsWith('[') || !line.endsWith(']')) return undefined
  const fields = parseArray(line)
  const [offset, atMs, step, stream] = fields
  if (typeof offset !== 'number' || typeof atMs !== 'number' || typeof step !== 'number') return undefined
  return streams.has(stream) ? { offset, atMs, step, stream: stream as LogStream } : undefined
}

function parseArray(line: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(line)
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}

/**
 * Joins a part of the log's text with its index. `bytes` begin at `offset` of the log, which must be the start of a
 * line. A last line without its line end is left for the next call, unless `isComplete` says that the log has ended.
 */
export function readLogPart(
  bytes: Uint8Array,
  records: readonly LogRecord[],
  options: { readonly offset: number; readonly isComplete?: boolean },
): LogPart {
  const decoder = new TextDecoder()
  const last = bytes.lastIndexOf(0x0a) + 1
  const length = options.isComplete === true ? bytes.length : last
  const lines: LogLine[] = []
  for (let at = 0, index = recordAt(records, options.offset); at < length; index += 1) {
    const record = records[index] ?? { offset: 0, atMs: 0, step: 0, stream: 'system' as const }
    const next = records[index + 1]
    const end = next === undefined ? length : Math.min(length, next.offset - options.offset)
    if (end <= at) continue
    const { atMs, step, stream } = record
    const text = decoder.decode(bytes.subarray(at, end))
    for (const line of (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n')) {
      lines.push({ atMs, step, stream, text: line })
    }
    at = end
  }
  return { lines, nextOffset: options.offset + length }
}

/** The byte range of one step in the log; `undefined` end while it may still grow. */
export function rangeOfStep(
  records: readonly LogRecord[],
  step: number,
): { readonly start: number; readonly end: number | undefined } | undefined {
  const first = records.findIndex((record) => record.step === step)
  if (first === -1) return undefined
  const start = records[first]?.offset ?? 0
  const after = records.slice(first).find((record) => record.step !== step)
  return { start, end: after?.offset }
}

/** Index of the record that covers an offset: the last one that starts at or before it. */
function recordAt(records: readonly LogRecord[], offset: number): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((records[middle]?.offset ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return Math.max(0, low - 1)
}
