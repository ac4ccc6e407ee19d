import { join } from 'node:path'
import { rmSync } from 'node:fs'
import { serviceRequestInvalid, serviceRouteMissing, uploadMissing } from '#core/known/service.ts'
import { readText, sendCreated } from './http-answer.ts'
import type { ServiceCall } from './http-answer.ts'
import { serviceLimits } from './limits.ts'
import { checkPath, signPath } from './token.ts'
import type { Permission } from './token.ts'
import { Upload } from './upload.ts'

/**
 * Where uploads of a job arrive, as Azure's blob storage takes them: clients are given a signed address and speak to it
 * without a token. The folder is the job's, so that nothing outlives it.
 */
export class UploadArea implements Disposable {
  readonly #folder: string
  readonly #key: Buffer
  readonly #now: () => number
  readonly #uploads = new Map<string, Upload>()
  #count = 0

  constructor(folder: string, key: Buffer, now: () => number) {
    this.#folder = folder
    this.#key = key
    this.#now = now
  }

  /** Begins an upload; `path` is to be signed. */
  open(name: string, bytesMax: number): { readonly upload: Upload; readonly path: string; readonly id: string } {
    if (this.#uploads.size >= serviceLimits.uploadsMax) {
      throw serviceRequestInvalid({ problem: `A job has at most ${serviceLimits.uploadsMax} uploads at the same time` })
    }
    const id = String((this.#count += 1))
    const upload = new Upload(name, join(this.#folder, id), bytesMax)
    this.#uploads.set(id, upload)
    return { upload, path: `/uploads/job/${id}`, id }
  }

  get(id: string): Upload | undefined {
    return this.#uploads.get(id)
  }

  close(upload: Upload): void {
    for (const [id, open] of this.#uploads) if (open === upload) this.#uploads.delete(id)
    upload[Symbol.dispose]()
  }

  /** A signed address for a path of this server. */
  sign(origin: string, path: string, permission: Permission): string {
    return `${origin}${path}?${signPath(this.#key, path, permission, this.#now() + serviceLimits.urlLifeMs)}`
  }

  /** Throws unless the address was signed for this. */
  check(url: URL, permission: Permission): void {
    checkPath(this.#key, url, permission, this.#now())
  }

  /** Answers what a client sends to a signed upload address. */
  async receive(call: ServiceCall): Promise<void> {
    const { request, response, url } = call
    this.check(url, 'w')
    const id = url.pathname.split('/').at(-1) ?? ''
    const upload = this.#uploads.get(id)
    if (upload === undefined) throw uploadMissing({ name: id })
    if (request.method !== 'PUT') throw serviceRouteMissing({ method: request.method ?? '', path: url.pathname })
    switch (url.searchParams.get('comp')) {
      case 'block':
        await upload.putBlock(url.searchParams.get('blockid') ?? '', request)
        break
      case 'blocklist':
        await upload.commit(readBlockList(await readText(request, serviceLimits.blockListBytesMax)))
        break
      case null:
        await upload.putWhole(request)
        break
      default:
        throw serviceRouteMissing({ method: 'PUT', path: `${url.pathname}?comp=${url.searchParams.get('comp')}` })
    }
    sendCreated(response)
  }

  [Symbol.dispose](): void {
    this.#uploads.clear()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/**
 * Block ids in the order of the file. The document is so plain that its elements are found without an XML reader: ids
 * are base64, and any other content makes the list invalid.
 */
function readBlockList(xml: string): readonly string[] {
  const body = /<BlockList>([\s\S]*)<\/BlockList>\s*$|<BlockList\s*\/>\s*$/.exec(xml)
  if (body === null) throw serviceRequestInvalid({ problem: 'The list of blocks is not a BlockList' })
  const ids: string[] = []
  const rest = (body[1] ?? '').replaceAll(
    /<(Latest|Uncommitted|Committed)>([A-Za-z0-9+/=]+)<\/\1>/g,
    (_match, _kind, id: string) => {
      ids.push(id)
      return ''
    },
  )
  if (rest.trim() !== '') throw serviceRequestInvalid({ problem: 'The list of blocks has other content than ids' })
  return ids
}
