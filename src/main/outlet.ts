import { fstatSync, writeFileSync } from 'node:fs'
import { isatty } from 'node:tty'
import type { Sink } from '#cli/sink.ts'

/** A sink of a real process. `failure`: why something that was written to it is lost; a reader that has left is none. */
export interface Outlet extends Sink {
  readonly failure: Error | undefined
}

/**
 * Standard output or error as a sink that outlives its reader: `shipway run | head` goes on when `head` has left, and what is written
 * then goes nowhere. The stream itself cannot be asked: Node brings it back to life after every error, and it goes on saying that it
 * waits for a reader.
 */
export function outlet(stream: NodeJS.WriteStream & { readonly fd: number }): Outlet {
  const { fd } = stream
  let isGone = false
  let failure: Error | undefined
  const fail = (error: NodeJS.ErrnoException): void => {
    isGone = true
    if (error.code !== 'EPIPE') failure ??= error
  }
  stream.on('error', fail)
  // Node writes to a file once and takes no notice when the disk has taken only a part of it.
  const isFile = leadsToFile(fd)
  return {
    write: (text) => {
      if (isGone) return true
      if (!isFile) return stream.write(text)
      try {
        writeFileSync(fd, text)
      } catch (error) {
        fail(error as NodeJS.ErrnoException)
      }
      return true
    },
    get writableNeedDrain() {
      return !isGone && stream.writableNeedDrain
    },
    get failure() {
      return failure
    },
    once: (event, listener) => stream.once(event === 'close' ? 'error' : event, listener),
    off: (event, listener) => stream.off(event === 'close' ? 'error' : event, listener),
  }
}

/** A regular file, or a device such as /dev/full. */
function leadsToFile(fd: number): boolean {
  try {
    const facts = fstatSync(fd)
    return !facts.isFIFO() && !facts.isSocket() && !isatty(fd)
  } catch {
    return false
  }
}
