import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { PassThrough, Transform, pipeline as pipe } from 'node:stream'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { artifactDamaged } from '#core/known/runner.ts'
import type { ArtifactFile, ArtifactManifest } from '#core/run/artifact.ts'
import { blobPath } from '../blob.ts'
import { sendFile } from './http-answer.ts'
import type { ServiceCall } from './http-answer.ts'

/**
 * Entries are compressed a little even though this never leaves the machine: a client that unpacks while it reads needs
 * contents that say where they end, and stored ones do not.
 */
const COMPRESSION_LEVEL = 1

/** Sends an artifact as clients expect it: a zip file, or the one file that was uploaded without an archive. */
export async function sendArtifact(
  call: ServiceCall,
  artifact: { readonly manifest: ArtifactManifest; readonly blobs: string; readonly time: Date },
): Promise<void> {
  const { manifest, blobs, time } = artifact
  const [only] = manifest.files
  if (manifest.mimeType !== undefined && only !== undefined) {
    const headers = { 'Content-Type': manifest.mimeType, 'Content-Disposition': attachment(only.path) }
    return sendFile(call, blobPath(blobs, only.digest), headers)
  }
  const headers = { 'Content-Type': 'application/zip', 'Content-Disposition': attachment(`${manifest.name}.zip`) }
  call.response.writeHead(200, headers)
  if (call.request.method === 'HEAD') {
    call.response.end()
    return
  }
  await pipeline(packArtifact(manifest, blobs, time), call.response)
}

/** The zip file of an artifact, made while it is read. It breaks off at contents that are not what was uploaded. */
export function packArtifact(manifest: ArtifactManifest, blobs: string, time: Date): Readable {
  const zip = new ZipFile()
  const output = new PassThrough()
  pipe(zip.outputStream, output, () => {})
  zip.on('error', (error: Error) => output.destroy(error))
  for (const file of manifest.files) {
    const mode = file.mode === 0o755 ? 0o100755 : 0o100644
    zip.addReadStreamLazy(file.path, { mtime: time, mode, compressionLevel: COMPRESSION_LEVEL }, (give) =>
      give(null, openChecked(manifest.name, file, blobs)),
    )
  }
  zip.end()
  return output
}

function openChecked(name: string, file: ArtifactFile, blobs: string): Readable {
  const hash = createHash('sha256')
  const check = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk)
      done(null, chunk)
    },
    flush: (done) => {
      if (hash.digest('hex') === file.digest) return done()
      done(artifactDamaged({ name, problem: `the contents of ${file.path} are not what was uploaded` }))
    },
  })
  return pipe(createReadStream(blobPath(blobs, file.digest)), check, () => {})
}

/** A file name that every client understands: plain for old ones, encoded for all letters. */
function attachment(name: string): string {
  const plain = name.replaceAll(/[^\w.-]/g, '_')
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name)}`
}
