import type { Writable } from 'node:stream'

/** Pieces are gathered up to this size: the host starts a process for each. */
const pieceBytes = 1024 * 1024

/**
 * Writes an input in pieces, each after a line with its length. Resolves with the failure of the source, or with nothing
 * when all was written, when the reader has gone away or when nobody wants the rest.
 */
export async function writeInput(
  stream: Writable,
  input: AsyncIterable<Uint8Array> | undefined,
  reader: { readonly isUnwanted: () => boolean },
): Promise<Error | undefined> {
  if (input === undefined) return undefined
  let parts: Uint8Array[] = []
  let size = 0
  const flush = async (): Promise<void> => {
    if (size === 0) return
    stream.write(`${size}\n`)
    for (const part of parts) stream.write(part)
    parts = []
    size = 0
    if (stream.writableNeedDrain) await drained(stream)
  }
  try {
    for await (const chunk of input) {
      if (!stream.writable || reader.isUnwanted()) return undefined
      parts.push(chunk)
      size += chunk.length
      if (size >= pieceBytes) await flush()
    }
    await flush()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error), { cause: error })
  }
}

/** Waits until the stream takes more, or never will. */
export function drained(stream: Writable): Promise<void> {
  if (!stream.writable) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
