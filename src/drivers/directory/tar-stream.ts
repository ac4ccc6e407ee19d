import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** One member of an archive. A `link` is a hard link to a path relative to the folder where the archive is unpacked. */
export type TarEntry =
  | { readonly kind: 'text'; readonly path: string; readonly mode: number; readonly text: string }
  | {
      readonly kind: 'blob'
      readonly path: string
      readonly mode: number
      readonly size: number
      readonly file: string
      /** The error to throw when the file cannot be read or has another length. */
      readonly unusable: (found: 'missing' | 'damaged', cause?: unknown) => Error
    }
  | { readonly kind: 'link'; readonly path: string; readonly mode: number; readonly target: string }

/** A file's length is written in eleven octal digits. */
export const tarFileBytesMax = 8 ** 11 - 1

const blockSize = 512
/** Smaller files are read at once; many small writes would cost more than the bytes. */
const wholeFileBytesMax = 256 * 1024
const chunkBytes = 128 * 1024

/**
 * A ustar archive, as a stream. Written here because what is sent is decided entry by entry and the content lies in a
 * blob store: the system's `tar` would need a tree made first. Long names use GNU's `L` and `K` members, which GNU tar,
 * bsdtar and busybox all read (busybox ignores the POSIX ones in silence). `mtimeSeconds` is when the files are sent: web
 * servers derive their cache tags from it, so two contents must not share one constant.
 */
export async function* tarStream(entries: Iterable<TarEntry>, mtimeSeconds: number): AsyncGenerator<Uint8Array> {
  let parts: Buffer[] = []
  let size = 0
  for (const entry of entries) {
    for await (const part of memberOf(entry, mtimeSeconds)) {
      parts.push(part)
      size += part.length
      if (size < chunkBytes) continue
      yield Buffer.concat(parts)
      parts = []
      size = 0
    }
  }
  yield Buffer.concat([...parts, Buffer.alloc(2 * blockSize)])
}

async function* memberOf(entry: TarEntry, mtime: number): AsyncGenerator<Buffer> {
  const linkName = entry.kind === 'link' ? entry.target : ''
  const size = entry.kind === 'text' ? Buffer.byteLength(entry.text) : entry.kind === 'blob' ? entry.size : 0
  if (Buffer.byteLength(entry.path) > 100) yield* longName('L', entry.path)
  if (Buffer.byteLength(linkName) > 100) yield* longName('K', linkName)
  yield header({ path: entry.path, linkName, mode: entry.mode, size, mtime, type: entry.kind === 'link' ? '1' : '0' })
  if (entry.kind === 'text') yield Buffer.from(entry.text)
  if (entry.kind === 'blob') yield* contentOf(entry)
  yield padding(size)
}

/** The archive promises a length, so a file of another length must end the stream and not shift what follows. */
async function* contentOf(entry: Extract<TarEntry, { kind: 'blob' }>): AsyncGenerator<Buffer> {
  let read = 0
  try {
    for await (const chunk of chunksOf(entry)) {
      read += chunk.length
      if (read > entry.size) break
      yield chunk
    }
  } catch (cause) {
    throw entry.unusable((cause as { code?: string }).code === 'ENOENT' ? 'missing' : 'damaged', cause)
  }
  if (read !== entry.size) throw entry.unusable('damaged')
}

async function* chunksOf(entry: Extract<TarEntry, { kind: 'blob' }>): AsyncGenerator<Buffer> {
  if (entry.size <= wholeFileBytesMax) yield await readFile(entry.file)
  else for await (const chunk of createReadStream(entry.file, { highWaterMark: chunkBytes })) yield chunk as Buffer
}

function* longName(type: 'L' | 'K', name: string): Generator<Buffer> {
  const content = Buffer.from(`${name}\0`)
  yield header({ path: '././@LongLink', linkName: '', mode: 0o644, size: content.length, mtime: 0, type })
  yield content
  yield padding(content.length)
}

interface Header {
  readonly path: string
  readonly linkName: string
  readonly mode: number
  readonly size: number
  readonly mtime: number
  readonly type: '0' | '1' | 'L' | 'K'
}

/** The old GNU magic, since members of type `L` and `K` belong to it. */
function header(member: Header): Buffer {
  const block = Buffer.alloc(blockSize)
  Buffer.from(member.path).copy(block, 0, 0, 100)
  block.write(octal(member.mode, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  block.write(octal(member.size, 11), 124)
  block.write(octal(member.mtime, 11), 136)
  block.write('        ', 148)
  block.write(member.type, 156)
  Buffer.from(member.linkName).copy(block, 157, 0, 100)
  block.write('ustar  \0', 257, 'latin1')
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return block
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0')
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize)
}
