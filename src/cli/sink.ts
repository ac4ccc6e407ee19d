/** Where text goes. A `process.stdout` is one, and so is a test's buffer. */
export interface Sink {
  /** Text, or its bytes in UTF-8. */
  write(text: string | Buffer): unknown
  /** True while a reader is slower than we are: what is written now piles up in memory. */
  readonly writableNeedDrain?: boolean
  /** `drain`: the reader has caught up. `close`: it is gone. */
  once?(event: 'drain' | 'close', listener: () => void): unknown
  off?(event: 'drain' | 'close', listener: () => void): unknown
}

/** A sink that changes text on its way. Bytes pass as they are: they are a log as it was written. */
export function wrapSink(sink: Sink, change: (text: string) => string): Sink {
  return {
    write: (text) => sink.write(typeof text === 'string' ? change(text) : text),
    get writableNeedDrain() {
      return sink.writableNeedDrain === true
    },
    ...(sink.once === undefined ? {} : { once: (event, listener) => sink.once?.(event, listener) }),
    ...(sink.off === undefined ? {} : { off: (event, listener) => sink.off?.(event, listener) }),
  }
}

/** Sinks that somebody waits for now: however many jobs print at once, a sink has one listener for each event. */
const waits = new WeakMap<Sink, Promise<void>>()

/** Resolves when a slow reader has caught up, or is gone; at once in all other cases. */
export function drained(sink: Sink): Promise<void> {
  if (sink.writableNeedDrain !== true || sink.once === undefined) return Promise.resolve()
  const known = waits.get(sink)
  if (known !== undefined) return known
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = (): void => {
    sink.off?.('drain', end)
    sink.off?.('close', end)
    waits.delete(sink)
    resolve()
  }
  sink.once('drain', end)
  sink.once('close', end)
  waits.set(sink, promise)
  return promise
}
