import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseLogIndex, rangeOfStep, readLogPart, renderLogRecord } from './log-index.ts'
import type { LogLine, LogRecord, LogStream } from './log-index.ts'

interface Chunk {
  readonly step: number
  readonly stream: LogStream
  readonly texts: readonly string[]
}

/** A log with one record per chunk, and the lines that a reader must find in it. */
function write(chunks: readonly Chunk[]): {
  bytes: Uint8Array
  records: readonly LogRecord[]
  lines: readonly LogLine[]
} {
  const records: LogRecord[] = []
  const lines: LogLine[] = []
  let text = ''
  for (const [index, { step, stream, texts }] of chunks.entries()) {
    const atMs = 1000 + index
    records.push({ offset: Buffer.byteLength(text), atMs, step, stream })
    for (const line of texts) lines.push({ atMs, step, stream, text: line })
    text += texts.map((line) => `${line}\n`).join('')
  }
  return { bytes: Buffer.from(text), records, lines }
}

const chunk: fc.Arbitrary<Chunk> = fc.record({
  step: fc.nat({ max: 3 }),
  stream: fc.constantFrom('out', 'err', 'system'),
  texts: fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\u{1F511}', ' '), maxLength: 5 }), {
    minLength: 1,
    maxLength: 4,
  }),
})

describe('the index of a log', () => {
  test('survives being written and read', () => {
    fc.assert(
      fc.property(fc.array(chunk), (chunks) => {
        const { records } = write(chunks)
        expect(parseLogIndex(records.map(renderLogRecord).join(''))).toEqual(records)
      }),
    )
  })

  test('leaves out a torn last line and anything that is no record', () => {
    expect(parseLogIndex('[0,5,1,"out"]\n[1]\nx\n[9,5,1,"other"]\n[10,6,2,"e')).toEqual([
      { offset: 0, atMs: 5, step: 1, stream: 'out' },
    ])
  })

  test('tells time, step and stream of every line, in whatever pieces the log is read', () => {
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (chunks, size) => {
        const { bytes, records, lines } = write(chunks)
        const read: LogLine[] = []
        let offset = 0
        for (let end = size; offset < bytes.length; end += size) {
          const part = readLogPart(bytes.subarray(offset, end), records, { offset })
          read.push(...part.lines)
          offset = part.nextOffset
        }
        expect(read).toEqual(lines)
      }),
    )
  })

  test('gives the last line without its end only when the log has ended', () => {
    const { records } = write([{ step: 1, stream: 'out', texts: ['a'] }])
    const bytes = Buffer.from('a\nb')
    expect(readLogPart(bytes, records, { offset: 0 })).toMatchObject({ nextOffset: 2, lines: [{ text: 'a' }] })
    expect(readLogPart(bytes, records, { offset: 0, isComplete: true })).toMatchObject({
      nextOffset: 3,
      lines: [{ text: 'a' }, { text: 'b' }],
    })
  })

  test('gives the bytes of one step', () => {
    const { records } = write([
      { step: 0, stream: 'system', texts: ['set up'] },
      { step: 1, stream: 'system', texts: ['x'] },
      { step: 1, stream: 'out', texts: ['y'] },
      { step: 2, stream: 'out', texts: ['z'] },
    ])
    expect(rangeOfStep(records, 1)).toEqual({ start: 7, end: 11 })
    expect(rangeOfStep(records, 2)).toEqual({ start: 11, end: undefined })
    expect(rangeOfStep(records, 9)).toBeUndefined()
  })
})
