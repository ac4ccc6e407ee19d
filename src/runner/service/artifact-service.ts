import { dirname } from 'node:path'
import type { Json, JsonObject } from '#core/json.ts'
import { artifactExists, artifactNameInvalid, artifactNotFound } from '#core/known/runner.ts'
import { serviceScopeDenied, uploadMismatch, uploadMissing } from '#core/known/service.ts'
import { isArtifactName } from '#core/run/artifact.ts'
import type { ArtifactFile, ArtifactManifest } from '#core/run/artifact.ts'
import type { JobOrder } from '#core/run/job-order.ts'
import {
  artifactId,
  artifactTime,
  digestOf,
  isReplaceable,
  listArtifacts,
  publishArtifact,
  readArtifact,
  removeArtifact,
} from '../actions/artifact-store.ts'
import { blobPath, storeBlob, syncFolder } from '../blob.ts'
import { sendArtifact } from './artifact-download.ts'
import { unpackArtifact } from './artifact-zip.ts'
import type { ServiceCall } from './http-answer.ts'
import { serviceLimits } from './limits.ts'
import { sizeField, textField } from './message.ts'
import type { UploadArea } from './upload-area.ts'
import type { Upload } from './upload.ts'

const DAY_MS = 86_400_000
const ZIP = 'application/zip'

/** An artifact that is being uploaded. */
interface Begun {
  readonly upload: Upload
  readonly mimeType: string
  readonly retentionDays: number
}

/**
 * The artifact service of version 4 (actions-semantics 140), on the same files as the built-in actions: what is uploaded
 * here can be downloaded there, sealed into a release, and the other way round. A job reaches the artifacts of its own
 * run only.
 */
export class ArtifactService {
  readonly #order: JobOrder
  readonly #uploads: UploadArea
  readonly #now: () => number
  readonly #begun = new Map<string, Begun>()

  constructor(order: JobOrder, uploads: UploadArea, now: () => number) {
    this.#order = order
    this.#uploads = uploads
    this.#now = now
  }

  /** Methods by their name in the protocol. */
  readonly methods: Readonly<Record<string, (message: JsonObject, call: ServiceCall) => Json | Promise<Json>>> = {
    CreateArtifact: (message, call) => this.#create(message, call),
    FinalizeArtifact: (message) => this.#finalize(message),
    ListArtifacts: (message) => this.#list(message),
    GetSignedArtifactURL: (message, call) => this.#sign(message, call),
    DeleteArtifact: (message) => this.#delete(message),
  }

  /** Answers a signed download: `/artifacts/zip/NAME.zip` or `/artifacts/file/NAME`. */
  async download(call: ServiceCall): Promise<void> {
    const { artifacts, blobs } = this.#order.paths
    const [, , kind, encoded = ''] = call.url.pathname.split('/')
    const decoded = decodeURIComponent(encoded)
    const name = kind === 'zip' ? decoded.replace(/\.zip$/, '') : decoded
    await sendArtifact(call, { manifest: this.#read(name), blobs, time: artifactTime(artifacts, name) })
  }

  #create(message: JsonObject, call: ServiceCall): Json {
    this.#checkScope(message, { isOwnJob: true })
    const name = nameOf(message)
    const { jobKey, attempt, paths } = this.#order
    const existing = readArtifact(paths.artifacts, name)
    if (existing !== undefined && !isReplaceable(existing, { jobKey, attempt })) throw artifactExists({ name })
    this.#begun.get(name)?.upload[Symbol.dispose]()
    const { upload, path } = this.#uploads.open(name, serviceLimits.artifactBytesMax)
    const mimeType = textField(message, 'mime_type') || ZIP
    this.#begun.set(name, { upload, mimeType, retentionDays: this.#retentionDays(textField(message, 'expires_at')) })
    return { ok: true, signed_upload_url: this.#uploads.sign(call.origin, path, 'w') }
  }

  async #finalize(message: JsonObject): Promise<Json> {
    this.#checkScope(message, { isOwnJob: true })
    const name = nameOf(message)
    const begun = this.#begun.get(name)
    if (begun === undefined) return { ok: true, artifact_id: this.#finished(name) }
    const { upload } = begun
    const size = sizeField(message, 'size')
    if (upload.bytes !== size) {
      throw uploadMismatch({ name, what: 'size', expected: `${size} bytes`, found: `${upload.bytes} bytes` })
    }
    const hash = textField(message, 'hash')
    if (hash !== '') {
      const found = `sha256:${await upload.digest()}`
      if (found !== hash) throw uploadMismatch({ name, what: 'digest', expected: hash, found })
    }
    const files = await this.#store(name, begun)
    const { jobKey, attempt, paths } = this.#order
    const { mimeType, retentionDays } = begun
    const digest = digestOf(files)
    const isPlain = mimeType !== ZIP
    const base = { schema: 'shipway.artifact/1', name, jobKey, attempt, retentionDays, files, digest } as const
    const manifest: ArtifactManifest = isPlain ? { ...base, mimeType } : base
    publishArtifact(paths.artifacts, manifest, false)
    this.#begun.delete(name)
    this.#uploads.close(upload)
    return { ok: true, artifact_id: artifactId(manifest) }
  }

  /** The answer to a client that finishes a second time, because it did not hear the first answer. */
  #finished(name: string): string {
    const { artifacts } = this.#order.paths
    const manifest = readArtifact(artifacts, name)
    const { jobKey, attempt } = this.#order
    if (manifest?.jobKey !== jobKey || manifest.attempt !== attempt) throw uploadMissing({ name })
    return artifactId(manifest)
  }

  async #store(name: string, { upload, mimeType }: Begun): Promise<readonly ArtifactFile[]> {
    const { blobs } = this.#order.paths
    if (mimeType === ZIP) return unpackArtifact(name, upload.file, blobs)
    const { digest, size } = await storeBlob(upload.file, blobs)
    syncFolder(dirname(blobPath(blobs, digest)))
    return [{ path: name, mode: 0o644, size, digest }]
  }

  #list(message: JsonObject): Json {
    this.#checkScope(message)
    const { artifacts } = this.#order.paths
    const name = textField(message, 'name_filter')
    const id = textField(message, 'id_filter')
    const found = listArtifacts(artifacts)
      .filter((candidate) => name === '' || candidate === name)
      .map((candidate) => readArtifact(artifacts, candidate))
      .filter((manifest) => manifest !== undefined)
      .filter((manifest) => id === '' || artifactId(manifest) === id)
    return { artifacts: found.map((manifest) => this.#describe(manifest)) }
  }

  #describe(manifest: ArtifactManifest): Json {
    const { name, files, mimeType } = manifest
    const [only] = files
    return {
      workflow_run_backend_id: this.#order.runId,
      workflow_job_run_backend_id: manifest.jobKey,
      database_id: artifactId(manifest),
      name,
      size: String(files.reduce((sum, file) => sum + file.size, 0)),
      created_at: artifactTime(this.#order.paths.artifacts, name).toISOString(),
      // An archive is made anew for each download; only of a plain file is it known what the client will get.
      ...(mimeType === undefined || only === undefined ? {} : { digest: `sha256:${only.digest}` }),
    }
  }

  #sign(message: JsonObject, call: ServiceCall): Json {
    this.#checkScope(message)
    const { name, mimeType } = this.#read(nameOf(message))
    const encoded = encodeURIComponent(name)
    const path = mimeType === undefined ? `/artifacts/zip/${encoded}.zip` : `/artifacts/file/${encoded}`
    return { signed_url: this.#uploads.sign(call.origin, path, 'r') }
  }

  #delete(message: JsonObject): Json {
    this.#checkScope(message)
    const manifest = this.#read(nameOf(message))
    removeArtifact(this.#order.paths.artifacts, manifest.name)
    return { ok: true, artifact_id: artifactId(manifest) }
  }

  #read(name: string): ArtifactManifest {
    const { artifacts } = this.#order.paths
    const manifest = isArtifactName(name) ? readArtifact(artifacts, name) : undefined
    if (manifest === undefined) throw artifactNotFound({ name, known: listArtifacts(artifacts) })
    return manifest
  }

  #checkScope(message: JsonObject, { isOwnJob = false } = {}): void {
    const { runId, jobKey } = this.#order
    const run = textField(message, 'workflow_run_backend_id')
    if (run !== runId) throw serviceScopeDenied({ scope: run, own: runId })
    const job = textField(message, 'workflow_job_run_backend_id')
    if (isOwnJob && job !== jobKey) throw serviceScopeDenied({ scope: `${run}:${job}`, own: `${runId}:${jobKey}` })
  }

  #retentionDays(expires: string): number {
    const days = (Date.parse(expires) - this.#now()) / DAY_MS
    // The client counts from its own clock, and an artifact that it wants at all stays for a day.
    return Number.isFinite(days) ? Math.max(1, Math.round(days)) : 0
  }
}

function nameOf(message: JsonObject): string {
  const name = textField(message, 'name')
  if (!isArtifactName(name)) throw artifactNameInvalid({ name: name.slice(0, 200) })
  return name
}
