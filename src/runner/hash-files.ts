import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { hashFilesTooSlow } from '#core/known/runner.ts'
import { isInside } from '#core/step/path-pattern.ts'
import { searchFiles } from './file-search.ts'

const FOLLOW_LINKS = '--follow-symbolic-links'

/** GitHub gives the function as long (actions-semantics 24). */
const hashTimeMsMax = 120_000
/** Bytes read of a file at a time. */
const READ_BYTES = 1024 * 1024

/**
 * `hashFiles(…)`: SHA-256 over the SHA-256 digests of the files below the workspace that match, in order of their paths;
 * empty when there are none (actions-semantics 24). Throws HASH_FILES_TOO_SLOW.
 */
export function hashFiles(args: readonly string[], workspace: string, timeMs = hashTimeMsMax): string {
  const deadline = performance.now() + timeMs
  const check = () => {
    if (performance.now() > deadline) throw hashFilesTooSlow({ patterns: args.join(', '), timeMs })
  }
  const followLinks = args[0]?.toLowerCase() === FOLLOW_LINKS
  const patterns = followLinks ? args.slice(1) : args
  const search = searchFiles(patterns.join('\n'), workspace, { includeHidden: true, followLinks, check })
  const files = search.files.filter((file) => isInside(file.path, workspace))
  if (files.length === 0) return ''
  const whole = createHash('sha256')
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  for (const file of files) whole.update(digestOf(file.path, buffer, check))
  return whole.digest('hex')
}

/** Piece by piece: a file may be larger than memory, and slower than the limit. */
function digestOf(path: string, buffer: Buffer, check: () => void): Buffer {
  const digest = createHash('sha256')
  const file = openSync(path, 'r')
  try {
    for (;;) {
      check()
      const length = readSync(file, buffer)
      if (length === 0) return digest.digest()
      digest.update(buffer.subarray(0, length))
    }
  } finally {
    closeSync(file)
  }
}
