import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { homeDiskFull, homeNotWritable } from '#core/known/home.ts'
import type { HomeFiles } from '#ports/home-files.ts'

const folders = [
  homeLayout.tmp,
  homeLayout.inbox,
  homeLayout.processing,
  homeLayout.outbox,
  homeLayout.quarantine,
  homeLayout.secrets,
  homeLayout.blobs,
  homeLayout.runs,
  homeLayout.workflowCache,
  homeLayout.toolCache,
]

/** The real files of a state home. */
export function openHomeFiles(root: string): HomeFiles {
  const absolute = (relative: string): string => {
    const full = path.resolve(root, relative)
    if (full !== root && !full.startsWith(`${root}${path.sep}`))
      throw new Error(`Invariant broken: "${relative}" leaves the state home`)
    return full
  }
  const known = new Set<string>()
  const ensureFolder = (folder: string): void => {
    if (known.has(folder)) return
    makeFolders(folder)
    known.add(folder)
  }
  const writeTemporary = (text: string, mode: number, isDurable = true): string => {
    ensureFolder(absolute(homeLayout.tmp))
    const temporary = absolute(`${homeLayout.tmp}/${process.pid}.${randomBytes(6).toString('hex')}`)
    const file = fs.openSync(temporary, 'wx', mode)
    try {
      // Not `writeSync`: on a full disk it writes a part and says so only by a number.
      fs.writeFileSync(file, text)
      if (isDurable) fs.fsyncSync(file)
    } catch (error) {
      fs.rmSync(temporary, { force: true })
      throw error
    } finally {
      fs.closeSync(file)
    }
    return temporary
  }
  const guard = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw toKnown(root, error)
    }
  }

  return {
    root,
    absolute,
    prepare: () =>
      guard(() => {
        makeHome(root)
        // Folders that are there already say nothing about a file system that has become read-only.
        fs.accessSync(root, fs.constants.W_OK)
        for (const folder of folders) ensureFolder(absolute(folder))
      }),
    putInbox: (name, text) =>
      guard(() => {
        const temporary = writeTemporary(text, 0o600)
        try {
          fs.linkSync(temporary, absolute(`${homeLayout.inbox}/${name}`))
          fsyncFolder(absolute(homeLayout.inbox))
          return true
        } catch (error) {
          if (codeOf(error) === 'EEXIST') return false
          throw error
        } finally {
          fs.rmSync(temporary, { force: true })
        }
      }),
    list: (folder) => {
      try {
        return fs.readdirSync(absolute(folder)).toSorted()
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return []
        throw error
      }
    },
    readText: (file, bytesMax) => {
      try {
        const facts = fs.statSync(absolute(file))
        // A folder cannot be read, and a pipe would be waited for.
        if (!facts.isFile() || (bytesMax !== undefined && facts.size > bytesMax)) return undefined
        return fs.readFileSync(absolute(file), 'utf8')
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    move: (from, to) =>
      guard(() => {
        const target = absolute(to)
        ensureFolder(path.dirname(target))
        try {
          fs.renameSync(absolute(from), target)
        } catch (error) {
          if (codeOf(error) === 'ENOENT') return false
          throw error
        }
        fsyncFolder(path.dirname(target))
        fsyncFolder(path.dirname(absolute(from)))
        return true
      }),
    write: (file, text, mode = 0o600) =>
      guard(() => {
        const target = absolute(file)
        ensureFolder(path.dirname(target))
        fs.renameSync(writeTemporary(text, mode), target)
        fsyncFolder(path.dirname(target))
      }),
    writeCache: (file, text) =>
      guard(() => {
        const target = absolute(file)
        ensureFolder(path.dirname(target))
        fs.renameSync(writeTemporary(text, 0o600, false), target)
      }),
    remove: (file) => fs.rmSync(absolute(file), { force: true }),
    removeTree: async (folder) => {
      await rm(absolute(folder), { recursive: true, force: true, maxRetries: 3 })
    },
    readFrom: (file, offset, bytesMax) => readFrom(absolute(file), offset, bytesMax),
    watchInbox: (onChange) => {
      const watcher = fs.watch(absolute(homeLayout.inbox), { persistent: false }, () => onChange())
      watcher.on('error', () => undefined)
      return { [Symbol.dispose]: () => watcher.close() }
    },
  }
}

/** Where making it says ENOENT, the nearest folder that is there may know better why. */
function makeHome(root: string): void {
  try {
    makeFolders(root)
  } catch (error) {
    // A file in its place: making the first folder in it says so.
    if (codeOf(error) === 'EEXIST') return
    if (codeOf(error) !== 'ENOENT') throw error
    let there = path.dirname(root)
    while (!fs.existsSync(there) && path.dirname(there) !== there) there = path.dirname(there)
    fs.accessSync(there, fs.constants.W_OK)
    throw homeNotWritable({ home: root, cause: error })
  }
}

/** Folder by folder: Node's recursive `mkdir` never returns where the folder above is there but takes none, as /proc. */
function makeFolders(folder: string): void {
  try {
    fs.mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && fs.statSync(folder).isDirectory()) return
    const above = path.dirname(folder)
    if (codeOf(error) !== 'ENOENT' || fs.existsSync(above)) throw error
    makeFolders(above)
    makeFolders(folder)
  }
}

function readFrom(file: string, offset: number, bytesMax: number): Uint8Array {
  let handle: number
  try {
    handle = fs.openSync(file, 'r')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return new Uint8Array()
    throw error
  }
  try {
    // Most looks find nothing new, or a few lines: a large buffer for each is what the garbage collector would be busy with.
    const wanted = Math.min(bytesMax, fs.fstatSync(handle).size - offset)
    if (wanted <= 0) return new Uint8Array()
    const buffer = Buffer.allocUnsafe(wanted)
    return buffer.subarray(0, fs.readSync(handle, buffer, 0, wanted, offset))
  } finally {
    fs.closeSync(handle)
  }
}

function fsyncFolder(folder: string): void {
  const handle = fs.openSync(folder, 'r')
  try {
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

function toKnown(root: string, error: unknown): unknown {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return homeDiskFull({ home: root, cause: error })
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
    case 'ENOTDIR':
      return homeNotWritable({ home: root, cause: error })
    default:
      return error
  }
}
