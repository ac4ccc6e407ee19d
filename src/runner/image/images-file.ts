import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { imagesFileInvalid } from '#core/known/image.ts'
import { readImages } from '#core/release/images.ts'

/**
 * Adds an image by digest to the file that `release.images` reads. What other steps of the job have put there stays. Throws
 * IMAGES_FILE_INVALID.
 */
export function noteImage(file: string, { name, reference }: { name: string; reference: string }, shown: string): void {
  const before = existsSync(file) ? readImages(readFileSync(file, 'utf8')) : {}
  if (typeof before === 'string') throw imagesFileInvalid({ path: shown, problem: before })
  const all = Object.entries({ ...before, [name]: reference }).toSorted(([left], [right]) => (left < right ? -1 : 1))
  const text = `${JSON.stringify(Object.fromEntries(all), undefined, 2)}\n`
  const problem = readImages(text)
  if (typeof problem === 'string') throw imagesFileInvalid({ path: shown, problem })
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(`${file}.new`, text)
  renameSync(`${file}.new`, file)
}
