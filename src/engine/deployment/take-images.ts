import { releaseImagesInvalid } from '#core/known/release.ts'
import { imagesTextLengthMax, readImages } from '#core/release/images.ts'
import type { ReleaseFile, ReleaseManifest } from '#core/release/model.ts'
import type { BlobStore } from '#ports/blob-store.ts'

/** The images that a file of the release names by digest; undefined where `shipway.yml` names no such file. */
export async function takeImages(
  blobs: BlobStore,
  path: string | undefined,
  files: readonly ReleaseFile[],
): Promise<ReleaseManifest['images']> {
  if (path === undefined) return undefined
  const file = files.find((candidate) => candidate.path === path)
  if (file === undefined)
    throw releaseImagesInvalid({
      path,
      problem: 'the release has no such file: neither its artifact nor release.files brings it',
    })
  if (file.size > imagesTextLengthMax)
    throw releaseImagesInvalid({ path, problem: `it is larger than ${imagesTextLengthMax} bytes` })
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of blobs.read(file.digest)) text += decoder.decode(chunk, { stream: true })
  const images = readImages(text + decoder.decode())
  if (typeof images === 'string') throw releaseImagesInvalid({ path, problem: images })
  return images
}
