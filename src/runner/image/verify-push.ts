import { createHash } from 'node:crypto'
import { taggedName } from '#core/image/reference.ts'
import type { ImageReference } from '#core/image/reference.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { imageDigestDiffers } from '#core/known/image.ts'
import type { ActionContext } from '../actions/built-in-action.ts'
import type { RegistrySession } from './registry-session.ts'

/** The digest that `docker push` names at its end: of the manifest that it has sent. */
export function pushedDigest(output: string): string | undefined {
  return /digest: (sha256:[0-9a-f]{64})/.exec(output)?.[1]
}

/**
 * Reads back from the registry what was pushed, and proves that it is the image: the bytes of the manifest have the digest that
 * docker named, and the manifest names the image that was built. A tag that means something else by now is told: somebody
 * else pushed it, and nobody who uses the digest is concerned. Throws IMAGE_DIGEST_DIFFERS.
 */
export async function verifyPush(
  context: ActionContext,
  session: RegistrySession,
  { image, tags, digest, id }: { image: ImageReference; tags: readonly string[]; digest: string; id: string },
): Promise<void> {
  const name = `${image.name}@${digest}`
  const answer = await session.ask(image, (client) => client.manifest(digest))
  if (answer.kind === 'silent') throw imageDigestDiffers({ image: name, expected: digest, found: answer.problem })
  if (answer.status !== 200)
    throw imageDigestDiffers({ image: name, expected: digest, found: `an answer ${answer.status}` })
  const found = `sha256:${createHash('sha256').update(answer.body).digest('hex')}`
  if (found !== digest) throw imageDigestDiffers({ image: name, expected: digest, found })
  const config = configOf(answer.body)
  // An engine with containerd's store has the digest of the manifest itself, or of an index of several, as the id.
  if (config !== undefined && config !== id && digest !== id)
    throw imageDigestDiffers({ image: name, expected: `image ${id}`, found: `image ${config}` })
  for (const tag of tags) {
    const head = await session.ask(image, (client) => client.manifest(tag, 'HEAD'))
    const now = head.kind === 'answer' ? head.headers.get('docker-content-digest') : null
    if (now !== null && now !== digest)
      context.warn(`${taggedName(image, tag)} means ${now} by now: somebody else has pushed it since.`)
  }
  context.print([`The registry has ${name}: read back and compared.`])
}

function configOf(body: Buffer): string | undefined {
  try {
    const value = JSON.parse(body.toString('utf8')) as Json
    const config = isJsonObject(value) ? value['config'] : undefined
    const digest = isJsonObject(config) ? config['digest'] : undefined
    return typeof digest === 'string' ? digest : undefined
  } catch {
    return undefined
  }
}
