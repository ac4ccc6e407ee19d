import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** As GitHub's client names them: the name is part of the version. */
export type Compression = 'zstd-without-long' | 'gzip'

/** What makes archives: programs of the machine, whose output goes to the step's log. */
export interface ArchiveTools {
  /** The path of a program; undefined when it is not installed. */
  findProgram(name: string): string | undefined
  /** True when it returned 0. */
  runProgram(argv: readonly string[], cwd: string): Promise<boolean>
}

/** zstd where it is installed, gzip elsewhere. An archive of one is no archive for who has only the other. */
export function chooseCompression(tools: ArchiveTools): Compression {
  return tools.findProgram('zstd') === undefined ? 'gzip' : 'zstd-without-long'
}

/**
 * The version of a cache: what besides the key must be the same to restore it. It is computed as GitHub's client does, so
 * that an entry saved by the one is found by the other.
 */
export function cacheVersion(paths: readonly string[], compression: Compression): string {
  return createHash('sha256')
    .update([...paths, compression, SALT].join('|'))
    .digest('hex')
}

const SALT = '1.0'

/** Packs files, named as `findCachePaths` names them, into an archive in a new folder. Undefined when `tar` fails. */
export async function packCache(
  tools: ArchiveTools,
  names: readonly string[],
  place: { readonly folder: string; readonly workspace: string; readonly compression: Compression },
): Promise<string | undefined> {
  const { folder, workspace, compression } = place
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const list = join(folder, 'list')
  const archive = join(folder, 'archive')
  writeFileSync(list, names.join('\0'), { mode: 0o600 })
  const program = compression === 'gzip' ? ['-z'] : ['--use-compress-program', 'zstdmt']
  const argv = ['tar', '--posix', ...program, '-P', '-C', workspace, '-cf', archive, '--null', '--files-from', list]
  return (await tools.runProgram(argv, workspace)) ? archive : undefined
}

/** Unpacks an archive into the workspace, and where its absolute names say. False when `tar` fails. */
export function unpackCache(
  tools: ArchiveTools,
  archive: string,
  place: { readonly workspace: string; readonly compression: Compression },
): Promise<boolean> {
  const { workspace, compression } = place
  const program = compression === 'gzip' ? ['-z'] : ['--use-compress-program', 'unzstd']
  return tools.runProgram(['tar', ...program, '-xf', archive, '-P', '-C', workspace], workspace)
}
