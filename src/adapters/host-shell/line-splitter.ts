/** Bytes of a line that are told. Whoever watches reads no more, and nobody holds what a host says without line ends. */
const lineBytesMax = 8192

/** Tells the lines of a stream wherever its pieces are cut; empty ones are not told. */
export class LineSplitter {
  readonly #tell: (line: string) => void
  #begun: Buffer[] = []
  #size = 0

  constructor(tell: (line: string) => void) {
    this.#tell = tell
  }

  add(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, from)) {
      this.#keep(chunk.subarray(from, end))
      this.#finish()
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
  }

  #keep(piece: Buffer): void {
    const room = lineBytesMax - this.#size
    if (piece.length === 0 || room <= 0) return
    this.#begun.push(piece.subarray(0, room))
    this.#size += Math.min(piece.length, room)
  }

  #finish(): void {
    if (this.#size > 0) this.#tell(Buffer.concat(this.#begun).toString('utf8'))
    this.#begun = []
    this.#size = 0
  }
}
