import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { actionLockFile, parseActionLock, renderActionLock } from '#core/action/lock.ts'
import type { ActionPin } from '#core/action/lock.ts'
import { pinKey } from '#core/action/remote-name.ts'
import type { StoredRef } from '#ports/action-store.ts'
import type { Session } from './session.ts'

/** The lock of the project around a folder, as it is on the disk. */
export interface ProjectLock {
  /** Root of the repository. */
  readonly root: string
  readonly pins: Readonly<Record<string, ActionPin>>
}

/** Undefined outside a repository. Throws ACTION_LOCK_INVALID. */
export async function readLock(session: Session): Promise<ProjectLock | undefined> {
  const facts = await session.services.describeRepository(session.directory).catch(() => undefined)
  if (facts === undefined) return undefined
  const text = await readFile(join(facts.root, actionLockFile), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return { root: facts.root, pins: text === undefined ? {} : parseActionLock(text) }
}

/** Writes the pins of refs into the lock, as a whole or not at all. The other pins stay. */
export async function writeLock(lock: ProjectLock, refs: readonly StoredRef[]): Promise<void> {
  const added = refs.map((stored) => [pinKey(stored), pinOf(stored)] as const)
  await replaceLock(lock, { ...lock.pins, ...Object.fromEntries(added) })
}

/** Takes pins out of the lock. */
export async function removePins(lock: ProjectLock, isGone: (key: string) => boolean): Promise<void> {
  const left = Object.entries(lock.pins).filter(([key]) => !isGone(key))
  if (left.length < Object.keys(lock.pins).length) await replaceLock(lock, Object.fromEntries(left))
}

async function replaceLock({ root }: ProjectLock, pins: Readonly<Record<string, ActionPin>>): Promise<void> {
  const path = join(root, actionLockFile)
  await mkdir(dirname(path), { recursive: true })
  const partial = `${path}.${process.pid}.new`
  await writeFile(partial, renderActionLock(pins))
  await rename(partial, path)
}

function pinOf({ commit, url }: StoredRef): ActionPin {
  return { commit, ...(url === undefined ? {} : { url }) }
}
