import { open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { isJsonObject } from '#core/json.ts'
import { isCommitId } from '#core/action/remote-name.ts'
import type { StoredRef } from '#ports/action-store.ts'
import type { StoredRepository } from './repository.ts'

/** Remembers what a ref stands for: durable, and as a whole or not at all. */
export async function writeRef({ refs }: StoredRepository, stored: StoredRef): Promise<void> {
  const partial = join(refs, `.new-${randomUUID()}`)
  const file = await open(partial, 'wx', 0o600)
  try {
    await file.writeFile(`${JSON.stringify(stored)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(partial, join(refs, fileOf(stored.ref)))
}

/** What the store took a ref for; undefined when it has not met it. */
export async function readRef({ refs }: StoredRepository, ref: string): Promise<StoredRef | undefined> {
  return readRecord(join(refs, fileOf(ref)))
}

export async function listRefs({ refs }: StoredRepository): Promise<readonly StoredRef[]> {
  const names = (await readdir(refs).catch(() => [])).filter((name) => name.endsWith('.json')).toSorted()
  const records = await Promise.all(names.map((name) => readRecord(join(refs, name))))
  return records.filter((record) => record !== undefined)
}

export async function removeRef({ refs }: StoredRepository, ref: string): Promise<boolean> {
  const path = join(refs, fileOf(ref))
  const isThere = (await readRecord(path)) !== undefined
  await rm(path, { force: true })
  return isThere
}

async function readRecord(path: string): Promise<StoredRef | undefined> {
  const text = await readFile(path, 'utf8').catch(() => '')
  try {
    const value: unknown = JSON.parse(text)
    const commit = isJsonObject(value) ? value['commit'] : undefined
    return typeof commit === 'string' && isCommitId(commit) ? (value as StoredRef) : undefined
  } catch {
    return undefined
  }
}

/** A ref as a file's name: everything that is not plain is written as `%xx`. */
function fileOf(ref: string): string {
  return `${encodeURIComponent(ref).replaceAll('*', '%2A').replace(/^\./, '%2E')}.json`
}
