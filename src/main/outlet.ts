import type { Sink } from '#cli/sink.ts'

/**
 * Standard output or error as a sink that outlives its reader: `shipway run | head` goes on when `head` has left, and what is written
 * then goes nowhere. The stream itself cannot be asked: Node brings it back to life after every error, and it goes on saying that it
 * waits for a reader.
 */
export function outlet(stream: NodeJS.WriteStream): Sink {
  let isGone = false
  stream.on('error', () => {
    isGone = true
  })
  return {
    write: (text) => isGone || stream.write(text),
    get writableNeedDrain() {
      return !isGone && stream.writableNeedDrain
    },
    once: (event, listener) => stream.once(event === 'close' ? 'error' : event, listener),
    off: (event, listener) => stream.off(event === 'close' ? 'error' : event, listener),
  }
}
