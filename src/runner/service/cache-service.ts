import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { cacheKeyProblem, cacheKeysMax } from '#core/cache/entry.ts'
import type { CacheEntry } from '#core/cache/entry.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { cacheEntryExists, cacheKeyInvalid } from '#core/known/cache.ts'
import { serviceRequestInvalid, serviceUrlInvalid, uploadMismatch, uploadMissing } from '#core/known/service.ts'
import type { CacheStore } from '../cache/cache-store.ts'
import { sendFile } from './http-answer.ts'
import type { ServiceCall } from './http-answer.ts'
import { serviceLimits } from './limits.ts'
import { sizeField, textField, textsField } from './message.ts'
import type { UploadArea } from './upload-area.ts'
import type { Upload } from './upload.ts'

const VERSION_LENGTH_MAX = 512

/** An entry that is being uploaded: nobody else of this job may save the same key meanwhile. */
export interface Reservation {
  readonly key: string
  readonly version: string
  readonly upload: Upload
  /** The upload's number in the addresses of the old protocol. */
  readonly id: string
  readonly path: string
}

/**
 * The cache service of version 2 (actions-semantics 143), and what it shares with version 1. Entries lie in the
 * repository's cache store; a save that the job does not finish leaves nothing.
 */
export class CacheService {
  readonly #store: CacheStore
  readonly #uploads: UploadArea
  readonly #reserved = new Map<string, Reservation>()
  /** What this job has saved, for a client that did not hear the answer and finishes again. */
  readonly #saved = new Map<string, CacheEntry>()

  constructor(store: CacheStore, uploads: UploadArea) {
    this.#store = store
    this.#uploads = uploads
  }

  /** Methods by their name in the protocol. */
  readonly methods: Readonly<Record<string, (message: JsonObject, call: ServiceCall) => Json | Promise<Json>>> = {
    CreateCacheEntry: (message, call) => {
      const { path } = this.reserve(textField(message, 'key'), textField(message, 'version'))
      return { ok: true, signed_upload_url: this.#uploads.sign(call.origin, path, 'w') }
    },
    FinalizeCacheEntryUpload: async (message) => {
      const key = textField(message, 'key')
      const version = textField(message, 'version')
      return { ok: true, entry_id: await this.finish(key, version, sizeField(message, 'size_bytes')) }
    },
    GetCacheEntryDownloadURL: (message, call) => {
      const keys = [textField(message, 'key'), ...textsField(message, 'restore_keys')]
      const entry = this.find(keys, textField(message, 'version'))
      if (entry === undefined) return { ok: false }
      return { ok: true, signed_download_url: this.addressOf(entry, call), matched_key: entry.key }
    },
  }

  /** Begins an entry. Throws when the key is taken or being saved. */
  reserve(key: string, version: string): Reservation {
    checkKey(key)
    checkVersion(version)
    const name = nameOf(key, version)
    if (this.#reserved.has(name)) throw cacheEntryExists({ key, scope: 'this job' })
    this.#store.checkFree(key, version)
    const opened = this.#uploads.open(key, serviceLimits.cacheEntryBytesMax)
    const reservation = { key, version, ...opened }
    this.#reserved.set(name, reservation)
    return reservation
  }

  /** The entry that a client of version 1 knows by its number. */
  reservation(id: string): Reservation {
    for (const reservation of this.#reserved.values()) if (reservation.id === id) return reservation
    throw uploadMissing({ name: id })
  }

  /** Makes an uploaded entry known and returns its number. */
  async finish(key: string, version: string, size: number): Promise<string> {
    const name = nameOf(key, version)
    const saved = this.#saved.get(name)
    if (saved !== undefined) return numberOf(saved)
    const reservation = this.#reserved.get(name)
    if (reservation === undefined) throw uploadMissing({ name: key })
    const { upload } = reservation
    const { bytes } = upload
    try {
      if (bytes !== size) {
        throw uploadMismatch({ name: key, what: 'size', expected: `${size} bytes`, found: `${bytes} bytes` })
      }
      const entry = await this.#store.publish(key, version, upload.file)
      this.#saved.set(name, entry)
      return numberOf(entry)
    } finally {
      this.#reserved.delete(name)
      this.#uploads.close(upload)
    }
  }

  find(keys: readonly string[], version: string): CacheEntry | undefined {
    if (keys.length > cacheKeysMax) throw serviceRequestInvalid({ problem: `There are more than ${cacheKeysMax} keys` })
    for (const key of keys) checkKey(key)
    checkVersion(version)
    return this.#store.find({ keys, version })
  }

  /** Entries whose key begins so, for the diagnostics of a client. */
  list(prefix: string): readonly CacheEntry[] {
    return this.#store.list().filter(({ key }) => key.startsWith(prefix))
  }

  addressOf(entry: CacheEntry, call: ServiceCall): string {
    const [version = '', file = ''] = this.#store.pathOf(entry).split('/').slice(-2)
    return this.#uploads.sign(call.origin, `/caches/${version}/${file}`, 'r')
  }

  /** Answers a signed download: `/caches/VERSION/FILE`, as the store names its files. */
  async download(call: ServiceCall): Promise<void> {
    const [version = '', file = ''] = call.url.pathname.split('/').slice(-2)
    const path = this.#store.fileAt(version, file)
    if (path === undefined || statSync(path, { throwIfNoEntry: false }) === undefined) {
      throw serviceUrlInvalid({ problem: `${basename(file)} has been removed meanwhile` })
    }
    await sendFile(call, path, { 'Content-Type': 'application/octet-stream' })
  }
}

function nameOf(key: string, version: string): string {
  return `${version}\n${key}`
}

/** A number for clients that count entries; nobody finds an entry by it. */
function numberOf({ file }: CacheEntry): string {
  return String(Number.parseInt(createHash('sha256').update(file).digest('hex').slice(0, 13), 16) + 1)
}

function checkKey(key: string): void {
  const problem = cacheKeyProblem(key)
  if (problem !== undefined) throw cacheKeyInvalid({ key, problem })
}

function checkVersion(version: string): void {
  if (version === '' || version.length > VERSION_LENGTH_MAX) {
    throw serviceRequestInvalid({ problem: 'The version of the cache is empty or too long' })
  }
}
