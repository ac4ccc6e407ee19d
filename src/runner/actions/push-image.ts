import { readList } from '#core/image/assignment.ts'
import { taggedName } from '#core/image/reference.ts'
import type { ImageReference } from '#core/image/reference.ts'
import { imageAbsent, imageNameInvalid, imageNotPushed, imageTagsMissing } from '#core/known/image.ts'
import { noteImage } from '../image/images-file.ts'
import { loginInputs, referenceOf, workspacePath } from '../image/image-inputs.ts'
import { RegistrySession } from '../image/registry-session.ts'
import { pushedDigest, verifyPush } from '../image/verify-push.ts'
import type { ActionContext, BuiltInAction, StepDocker } from './built-in-action.ts'

/** One image and the tags that it gets. */
interface Push {
  readonly image: ImageReference
  readonly tags: readonly string[]
  readonly id: string
}

/**
 * Pushes an image under all its tags, reads it back from the registry, and gives its digest to the release: from then on nobody
 * asks a tag again.
 */
export const pushImage: BuiltInAction = {
  name: 'shipway/push-image',
  inputs: {
    tags: undefined,
    'image-id': undefined,
    name: undefined,
    'images-file': undefined,
    'read-back': 'true',
    ...loginInputs,
  },
  async run(context: ActionContext): Promise<void> {
    const { inputs } = context
    const readsBack = inputs.boolean('read-back')
    const file = inputs.text('images-file')
    const path = file === '' ? undefined : workspacePath(context, file)
    const docker = await context.openDocker()
    using session = new RegistrySession(context, docker, { asks: readsBack })
    const push = await planPush(context, docker)
    const digest = await pushAll(session, push)
    if (readsBack) await verifyPush(context, session, { ...push, digest })
    else context.warn('The digest is the one that Docker names: `read-back: false` has not asked the registry for it.')
    const reference = `${push.image.name}@${digest}`
    const name = inputs.text('name') || (push.image.path.split('/').at(-1) ?? '')
    if (path !== undefined) {
      noteImage(path, { name, reference }, file)
      context.print([`${file} names ${name}: ${reference}`])
    }
    setOutputs(context, push, { digest, reference })
  },
}

/** Every tag of one repository, and the one image that they all get. */
async function planPush(context: ActionContext, docker: StepDocker): Promise<Push> {
  const names = readList(context.inputs.text('tags'))
  const references = names.map(referenceOf)
  const [image] = references
  if (image === undefined) throw imageTagsMissing()
  for (const [index, { name, tag }] of references.entries()) {
    const problem = tag === undefined ? 'it has no tag' : `it is of another repository than ${image.name}`
    if (tag === undefined || name !== image.name) throw imageNameInvalid({ name: names[index] ?? '', problem })
  }
  const tags = [...new Set(references.flatMap(({ tag }) => tag ?? []))]
  const wanted = context.inputs.text('image-id') || taggedName(image, tags[0] ?? '')
  const found = await docker.ask(['image', 'inspect', '--format', '{{.Id}}', wanted])
  const id = found.stdout.trim()
  if (found.exitCode !== 0 || id === '') throw imageAbsent({ image: wanted })
  // Another job on this engine may have moved a tag since the build: the id says what is meant.
  for (const tag of tags) await docker.ask(['tag', id, taggedName(image, tag)])
  return { image, tags, id }
}

async function pushAll(session: RegistrySession, { image, tags }: Push): Promise<string> {
  const digests: string[] = []
  for (const tag of tags) {
    const output = await session.push(image, tag)
    const digest = pushedDigest(output)
    if (digest === undefined) throw imageNotPushed({ image: taggedName(image, tag), tries: 1, output })
    digests.push(digest)
  }
  return digests[0] ?? ''
}

function setOutputs(
  context: ActionContext,
  { image, tags, id }: Push,
  { digest, reference }: { readonly digest: string; readonly reference: string },
): void {
  const names = tags.map((tag) => taggedName(image, tag))
  const metadata = {
    'containerimage.config.digest': id,
    'containerimage.digest': digest,
    'image.name': names.join(','),
  }
  context.setOutput('digest', digest)
  context.setOutput('image', reference)
  context.setOutput('image-id', id)
  context.setOutput('tags', names.join('\n'))
  context.setOutput('metadata', JSON.stringify(metadata))
}
