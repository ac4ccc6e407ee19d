import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { serviceRequestInvalid, uploadMissing, uploadTooLarge } from '#core/known/service.ts'
import { serviceLimits } from './limits.ts'

interface Block {
  readonly path: string
  readonly bytes: number
}

/**
 * One upload on its way, in a folder of its own: blocks in any order and at the same time, then their list (Azure's
 * protocol), one body as a whole, or ranges of one file (the old cache protocol). Nothing is kept in memory; whatever
 * breaks off leaves no block behind, and a block that is sent again replaces the first.
 */
export class Upload implements Disposable {
  readonly name: string
  readonly #folder: string
  readonly #bytesMax: number
  readonly #blocks = new Map<string, Block>()
  #files = 0
  #bytes = 0
  /** Ids of the blocks that the finished file is made of. */
  #committed: readonly string[] | undefined

  constructor(name: string, folder: string, bytesMax: number) {
    this.name = name
    this.#folder = folder
    this.#bytesMax = bytesMax
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** The finished file. Throws while the upload is not complete. */
  get file(): string {
    if (this.#committed === undefined) throw uploadMissing({ name: this.name })
    return this.#whole
  }

  get #whole(): string {
    return join(this.#folder, 'whole')
  }

  get bytes(): number {
    return statSync(this.file).size
  }

  /** Takes one block. */
  async putBlock(id: string, body: Readable): Promise<void> {
    if (id === '' || id.length > BLOCK_ID_LENGTH_MAX)
      throw serviceRequestInvalid({ problem: 'A block has no valid id' })
    if (this.#blocks.size >= serviceLimits.blocksMax) {
      throw serviceRequestInvalid({ problem: `An upload has at most ${serviceLimits.blocksMax} blocks` })
    }
    const block = await this.#receive(body)
    const earlier = this.#blocks.get(id)
    if (earlier !== undefined) this.#drop(earlier)
    this.#blocks.set(id, block)
  }

  /** Takes everything in one body. */
  async putWhole(body: Readable): Promise<void> {
    const { path } = await this.#receive(body)
    renameSync(path, this.#whole)
    this.#committed = []
  }

  /** Puts the blocks together. The same list may come twice: a client that did not hear the answer asks again. */
  async commit(ids: readonly string[]): Promise<void> {
    if (this.#committed !== undefined && ids.length > 0 && isSame(ids, this.#committed)) return
    const blocks = ids.map((id) => this.#blocks.get(id))
    if (new Set(ids).size !== ids.length) throw serviceRequestInvalid({ problem: 'The list names a block twice' })
    const [first, ...rest] = blocks
    if (first === undefined) {
      if (ids.length > 0) throw serviceRequestInvalid({ problem: 'The list names a block that was not sent' })
      await pipeline([], createWriteStream(this.#whole, { flags: 'w', mode: 0o600 }))
    } else {
      const known = rest.filter((block) => block !== undefined)
      if (known.length < rest.length)
        throw serviceRequestInvalid({ problem: 'The list names a block that was not sent' })
      await append(first, known)
      renameSync(first.path, this.#whole)
    }
    this.#committed = ids
    this.#blocks.clear()
  }

  /** Takes bytes from `start` on; of ranges that overlap, the last one counts. `close` ends the upload. */
  async putRange(start: number, body: Readable): Promise<void> {
    if (start > this.#bytesMax) throw uploadTooLarge({ name: this.name, bytesMax: this.#bytesMax })
    const path = join(this.#folder, 'ranges')
    // Several ranges arrive at once: whoever comes first makes the file, and nobody empties it.
    closeSync(openSync(path, 'a', 0o600))
    let end = start
    const count = (bytes: number): number => (end += bytes)
    await pipeline(unowned(body), this.#limited(count), createWriteStream(path, { flags: 'r+', start }))
  }

  /** Ends an upload of ranges: the file has this size, and no bytes beyond it. */
  close(): void {
    if (this.#committed !== undefined) return
    const path = join(this.#folder, 'ranges')
    if (statSync(path, { throwIfNoEntry: false }) === undefined) throw uploadMissing({ name: this.name })
    renameSync(path, this.#whole)
    this.#committed = []
  }

  /** SHA-256 of the finished file. */
  async digest(): Promise<string> {
    const hash = createHash('sha256')
    await pipeline(createReadStream(this.file, { highWaterMark: CHUNK_BYTES }), hash)
    return hash.digest('hex')
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #receive(body: Readable): Promise<Block> {
    const path = join(this.#folder, `block-${(this.#files += 1)}`)
    let bytes = 0
    const count = (received: number): number => {
      bytes += received
      return (this.#bytes += received)
    }
    try {
      await pipeline(unowned(body), this.#limited(count), createWriteStream(path, { flags: 'wx', mode: 0o600 }))
      return { path, bytes }
    } catch (error) {
      this.#bytes -= bytes
      rmSync(path, { force: true })
      throw error
    }
  }

  #drop(block: Block): void {
    this.#bytes -= block.bytes
    rmSync(block.path, { force: true })
  }

  /** Passes bytes on until the upload is too large: `count` says how large it is with them. */
  #limited(count: (bytes: number) => number): Transform {
    const { name } = this
    const bytesMax = this.#bytesMax
    return new Transform({
      highWaterMark: CHUNK_BYTES,
      transform: (chunk: Buffer, _encoding, done) => {
        if (count(chunk.length) > bytesMax) done(uploadTooLarge({ name, bytesMax }))
        else done(null, chunk)
      },
    })
  }
}

const BLOCK_ID_LENGTH_MAX = 128
const CHUNK_BYTES = 256 * 1024

/** What arrives, but not the connection: that must stay to carry the answer when the bytes cannot be kept. */
export function unowned(body: Readable): AsyncIterable<Buffer> {
  return body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
}

/** Appends blocks to the first one, and removes each when it is in: an upload needs its own size on the disk, not twice. */
async function append(first: Block, rest: readonly Block[]): Promise<void> {
  // What an earlier try that broke off has appended goes away.
  truncateSync(first.path, first.bytes)
  for (const block of rest) {
    const source = createReadStream(block.path, { highWaterMark: CHUNK_BYTES })
    await pipeline(source, createWriteStream(first.path, { flags: 'a' }))
  }
  for (const block of rest) rmSync(block.path)
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((item, index) => item === right[index])
}
