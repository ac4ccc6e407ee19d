import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { drained } from './sink.ts'

/** A stream that takes a few bytes before its reader must read. */
function narrowPipe(): PassThrough {
  const pipe = new PassThrough({ highWaterMark: 4 })
  pipe.write('more than four bytes')
  return pipe
}

describe('a writer with a slow reader', () => {
  test('goes on at once where the reader keeps up', async () => {
    const pipe = new PassThrough()
    await drained(pipe)
    await drained({ write: () => true })
    expect(pipe.listenerCount('drain')).toBe(0)
  })

  test('goes on when the reader has caught up, and leaves no listener behind', async () => {
    const pipe = narrowPipe()
    const waiting = drained(pipe)
    pipe.resume()
    await waiting
    expect(pipe.writableNeedDrain).toBe(false)
    expect([pipe.listenerCount('drain'), pipe.listenerCount('close')]).toEqual([0, 0])
  })

  test('goes on when the reader is gone', async () => {
    const pipe = narrowPipe()
    const waiting = drained(pipe)
    pipe.destroy()
    await expect(waiting).resolves.toBeUndefined()
  })

  test('shares one listener with all other writers, and can wait again afterwards', async () => {
    const pipe = narrowPipe()
    const before = pipe.listenerCount('close')
    const all = Array.from({ length: 50 }, () => drained(pipe))
    expect([pipe.listenerCount('drain'), pipe.listenerCount('close')]).toEqual([1, before + 1])
    pipe.resume()
    await Promise.all(all)

    pipe.pause()
    pipe.write('again more than four bytes')
    expect(pipe.writableNeedDrain).toBe(true)
    const again = drained(pipe)
    pipe.resume()
    await again
    expect(pipe.listenerCount('drain')).toBe(0)
  })
})
