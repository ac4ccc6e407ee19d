/** Where text goes. A `process.stdout` is one, and so is a test's buffer. */
export interface Sink {
  write(text: string): unknown
  /** True while a reader is slower than we are: what is written now piles up in memory. */
  readonly writableNeedDrain?: boolean
  /** `drain`: the reader has caught up. `close`: it is gone. */
  once?(event: 'drain' | 'close', listener: () => void): unknown
}

/** Resolves when a slow reader has caught up, or is gone; at once in all other cases. */
export async function drained(sink: Sink): Promise<void> {
  if (sink.writableNeedDrain !== true || sink.once === undefined) return
  const { promise, resolve } = Promise.withResolvers<void>()
  sink.once('drain', resolve)
  sink.once('close', resolve)
  await promise
}
