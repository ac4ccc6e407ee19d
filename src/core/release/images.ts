import { isPinned } from '../compose/composed.ts'
import { isJsonObject } from '../json.ts'
import type { Json } from '../json.ts'

/** Characters of the file that names the images. */
export const imagesTextLengthMax = 1024 * 1024

/**
 * The images of a release: `{"backend": "registry/…/backend@sha256:…"}`, or the metadata file of `docker buildx bake`, where each target has
 * `image.name` and `containerimage.digest`. Every image must be by digest, so that what is promoted is what was tested. A string says
 * what is wrong.
 */
export function readImages(text: string): Readonly<Record<string, string>> | string {
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return 'it is not JSON'
  }
  if (!isJsonObject(value)) return 'it is not a JSON object of names and images'
  const images: Record<string, string> = {}
  for (const name of Object.keys(value).toSorted()) {
    if (name.includes('buildx.build.')) continue
    const image = imageOf(value[name] ?? null)
    if (image === undefined) return `"${name}" names no image`
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return `"${name}" is no name of an image or service`
    if (!isPinned(image) || !/^[A-Za-z0-9][A-Za-z0-9._/:@-]*$/.test(image))
      return `"${name}" is ${image}, which is no image by digest (name@sha256:…)`
    images[name] = image
  }
  return Object.keys(images).length === 0 ? 'it names no image' : images
}

function imageOf(value: Json): string | undefined {
  if (typeof value === 'string') return value
  if (!isJsonObject(value)) return undefined
  const { 'image.name': names, 'containerimage.digest': digest } = value
  if (typeof names !== 'string' || typeof digest !== 'string') return undefined
  // Several tags of one push: any of them, without its tag.
  const [first = ''] = names.split(',')
  return `${first.trim().replace(/:[^:/]*$/, '')}@${digest}`
}
