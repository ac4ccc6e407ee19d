import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readList } from '#core/image/assignment.ts'
import { BuildCounter } from '#core/image/build-output.ts'
import { buildCall, imageLabels } from '#core/image/build-plan.ts'
import type { BuildPlan } from '#core/image/build-plan.ts'
import { branchTag, planTags, tagSets, versionOfRef } from '#core/image/tag-set.ts'
import { taggedName } from '#core/image/reference.ts'
import type { ImageReference } from '#core/image/reference.ts'
import { KnownError } from '#core/errors.ts'
import { isJsonObject } from '#core/json.ts'
import {
  buildFileMissing,
  buildKitMissing,
  imageNameInvalid,
  imageNotBuilt,
  imageSecretExposed,
  imageTagsMissing,
} from '#core/known/image.ts'
import { checkPlatforms, findBuilder } from '../image/builder.ts'
import type { FoundBuilder } from '../image/builder.ts'
import { assignmentsOf, githubText, loginInputs, referenceOf, workspacePath } from '../image/image-inputs.ts'
import { cacheKinds, findLayers, keepLayers } from '../image/layer-source.ts'
import type { CacheKind, FoundLayers, LayerStore } from '../image/layer-source.ts'
import { RegistrySession } from '../image/registry-session.ts'
import type { ActionContext, BuiltInAction, StepDocker } from './built-in-action.ts'

/** Shorter secrets stand in a value by chance. */
const secretLengthMin = 6

/** Builds an image with the Docker of the machine, under the tags that a set makes of version, branch and commit. Nothing is pushed. */
export const buildImage: BuiltInAction = {
  name: 'shipway/build-image',
  inputs: {
    image: undefined,
    context: '.',
    file: undefined,
    target: undefined,
    version: undefined,
    tags: undefined,
    'tag-set': undefined,
    'build-args': undefined,
    secrets: undefined,
    'secret-files': undefined,
    labels: undefined,
    platforms: undefined,
    network: undefined,
    pull: 'false',
    cache: 'engine',
    ...loginInputs,
  },
  async run(context: ActionContext): Promise<void> {
    const image = referenceOf(context.inputs.text('image'))
    if (image.tag !== undefined) throw imageNameInvalid({ name: context.inputs.text('image'), problem: 'it has a tag' })
    const version = context.inputs.text('version') || (versionOfRef(githubText(context, 'ref')) ?? '')
    const tags = tagsOf(context, image, version)
    const docker = await context.openDocker()
    await checkPlatforms(docker, readList(context.inputs.text('platforms')))
    const found = await findBuilder(docker)
    using session = new RegistrySession(context, docker)
    const wished = layerStore(context, { image, version, session, builder: found.builder })
    using work = makeWork(context)
    const store = { ...wished, kind: await openCache(context, wished) }
    const plan = await planBuild(context, { found, store, version, tags, work: work.folder })
    const layers = await findLayers(context, docker, store)
    const id = await build(context, docker, { plan, found, layers, store })
    setOutputs(context, { id, tags, version, image, found, layers })
    await keepLayers(context, docker, store, id)
  },
}

/**
 * Logs in where the step says as whom. A registry that is away is no reason not to build: base images may be here, and layers
 * are a help. Returns the cache that can be used.
 */
async function openCache(context: ActionContext, { kind, session, image }: LayerStore): Promise<CacheKind> {
  if (!session.hasLogin && kind !== 'registry') return kind
  try {
    await session.enter(image, 'pull')
    return kind
  } catch (error) {
    if (!(error instanceof KnownError) || error.kind !== 'unreachable') throw error
    context.warn(`The registry for the build is not there: ${error.message}`)
    return kind === 'registry' ? 'engine' : kind
  }
}

function tagsOf(context: ActionContext, image: ImageReference, version: string): readonly string[] {
  const { inputs } = context
  const set = inputs.text('tag-set') === '' ? (version === '' ? 'build' : 'version') : inputs.choice('tag-set', tagSets)
  const facts = {
    version,
    sha: githubText(context, 'sha'),
    runNumber: githubText(context, 'run_number'),
    ref: githubText(context, 'ref'),
    defaultBranch: defaultBranchOf(context),
  }
  const own = readList(inputs.text('tags'))
  const planned = planTags(set, facts)
  const names = [...new Set([...own, ...planned])].map((tag) => taggedName(image, tag))
  if (names.length === 0) throw imageTagsMissing()
  return names.map((name) => taggedName(referenceOf(name), referenceOf(name).tag ?? ''))
}

/** As the event says; else `main`, or `master` where the run is of that one. */
function defaultBranchOf(context: ActionContext): string {
  const event = context.order.contexts.github['event']
  const repository = isJsonObject(event) ? event['repository'] : undefined
  const known = isJsonObject(repository) ? repository['default_branch'] : undefined
  if (typeof known === 'string' && known !== '') return known
  return githubText(context, 'ref') === 'refs/heads/master' ? 'master' : 'main'
}

function layerStore(
  context: ActionContext,
  facts: Pick<LayerStore, 'image' | 'session' | 'builder'> & { readonly version: string },
): LayerStore {
  const { image, session, builder, version } = facts
  const ref = githubText(context, 'ref')
  const target = context.inputs.text('target')
  return {
    kind: context.inputs.choice('cache', cacheKinds),
    image,
    session,
    builder,
    isPullRequest: githubText(context, 'event_name').startsWith('pull_request'),
    facts: {
      subject: `${image.name}${target === '' ? '' : `:${target}`}`,
      version,
      branch: branchTag(ref) ?? ref.replace(/^refs\/(?:tags\/)?/, ''),
      defaultBranch: defaultBranchOf(context),
    },
  }
}

/** A folder for secrets and the id of the image, gone with the step. */
function makeWork(context: ActionContext): Disposable & { readonly folder: string } {
  const folder = mkdtempSync(join(context.temp, '_image_'))
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

async function planBuild(
  context: ActionContext,
  given: {
    readonly found: FoundBuilder
    readonly store: LayerStore
    readonly version: string
    readonly tags: readonly string[]
    readonly work: string
  },
): Promise<BuildPlan> {
  const { inputs } = context
  const folder = workspacePath(context, inputs.text('context'))
  const file = inputs.text('file') === '' ? join(folder, 'Dockerfile') : workspacePath(context, inputs.text('file'))
  if (!existsSync(folder)) throw buildFileMissing({ input: 'context', path: inputs.text('context') })
  if (!existsSync(file)) throw buildFileMissing({ input: 'file', path: inputs.text('file') || 'Dockerfile' })
  const buildArguments = assignmentsOf(context, 'build-args')
  const labels = Object.fromEntries(assignmentsOf(context, 'labels').map(({ name, value }) => [name, value]))
  checkExposure(context, 'build-args', Object.fromEntries(buildArguments.map(({ name, value }) => [name, value])))
  checkExposure(context, 'labels', labels)
  const secrets = writeSecrets(context, given.work)
  if (secrets.length > 0 && given.found.builder === 'classic')
    throw buildKitMissing({ wish: 'A build with secrets', problem: given.found.problem })
  const own = imageLabels({
    sha: githubText(context, 'sha'),
    source: `${githubText(context, 'server_url')}/${githubText(context, 'repository')}`,
    version: given.version,
    created: await commitTime(context),
  })
  return {
    context: folder,
    file,
    target: inputs.text('target'),
    arguments: buildArguments,
    secrets,
    labels: { ...own, ...labels },
    tags: given.tags,
    network: inputs.text('network'),
    cacheFrom: undefined,
    isCacheKept: given.store.kind === 'service' || given.store.kind === 'registry',
    usesCache: given.store.kind !== 'none',
    pulls: inputs.boolean('pull'),
    idFile: join(given.work, 'id'),
  }
}

/** Build arguments and labels stay in the image. Throws IMAGE_SECRET_EXPOSED. */
function checkExposure(context: ActionContext, input: string, values: Readonly<Record<string, string>>): void {
  for (const [secret, word] of Object.entries(context.order.contexts.secrets)) {
    if (word.length < secretLengthMin) continue
    for (const [name, value] of Object.entries(values))
      if (value.includes(word)) throw imageSecretExposed({ input, name, secret })
  }
}

function writeSecrets(context: ActionContext, folder: string): BuildPlan['secrets'] {
  const values = assignmentsOf(context, 'secrets').map(({ name, value }, index) => {
    const file = join(folder, `secret_${index}`)
    writeFileSync(file, value, { mode: 0o600 })
    return { id: name, file }
  })
  const files = assignmentsOf(context, 'secret-files').map(({ name, value }) => {
    const file = workspacePath(context, value)
    if (!existsSync(file)) throw buildFileMissing({ input: 'secret file', path: value })
    return { id: name, file }
  })
  return [...values, ...files]
}

/** When the commit was made: the same for every build of it. Empty where git does not know it. */
async function commitTime(context: ActionContext): Promise<string> {
  const { repository, sha } = context.order.source
  const argv = ['git', '-C', repository, 'show', '--no-patch', '--format=%cI', sha]
  const said = existsSync(repository) ? await context.captureProgram(argv, context.order.paths.workspace) : undefined
  return said?.split('\n').at(-1) ?? ''
}

async function build(
  context: ActionContext,
  docker: StepDocker,
  work: {
    readonly plan: BuildPlan
    readonly found: FoundBuilder
    readonly layers: FoundLayers | undefined
    readonly store: LayerStore
  },
): Promise<string> {
  const { plan, found, layers, store } = work
  const why = found.problem === '' ? '' : ` (${found.problem})`
  context.print([`Builder: ${found.builder === 'buildkit' ? 'BuildKit' : `the classic one of the engine${why}`}`])
  const from = layers?.from
  const call = buildCall({ ...plan, cacheFrom: from === undefined ? undefined : [from] }, found.builder)
  const counter = new BuildCounter()
  const startedAt = context.now()
  const before = store.session.loginArguments(store.image)
  const onText = (text: string) => counter.add(text)
  const { exitCode, tail } = await tellAndForget(docker, layers?.temporary ?? [], () =>
    docker.tell([...before, ...call.args], { env: call.env, onText }),
  )
  if (exitCode !== 0) throw imageNotBuilt({ file: context.inputs.text('file') || 'Dockerfile', output: tail })
  const { steps, cached } = counter.count()
  const seconds = ((context.now() - startedAt) / 1000).toFixed(1)
  context.print([`Built in ${seconds} s: ${cached} of ${steps} steps came from the cache.`])
  context.setOutput('steps', String(steps))
  context.setOutput('cached-steps', String(cached))
  return readFileSync(plan.idFile, 'utf8').trim()
}

/** Takes names away that were made for a build alone, however it ends. */
async function tellAndForget<T>(docker: StepDocker, names: readonly string[], tell: () => Promise<T>): Promise<T> {
  try {
    return await tell()
  } finally {
    for (const name of names) await docker.ask(['image', 'rm', '--no-prune', name])
  }
}

function setOutputs(
  context: ActionContext,
  made: {
    readonly id: string
    readonly tags: readonly string[]
    readonly version: string
    readonly image: ImageReference
    readonly found: FoundBuilder
    readonly layers: FoundLayers | undefined
  },
): void {
  const metadata = { 'containerimage.config.digest': made.id, 'image.name': made.tags.join(',') }
  context.setOutput('image-id', made.id)
  context.setOutput('image', made.tags[0] ?? made.image.name)
  context.setOutput('tags', made.tags.join('\n'))
  context.setOutput('version', made.version)
  context.setOutput('builder', made.found.builder)
  context.setOutput('cache-level', made.layers?.level.label ?? '')
  context.setOutput('metadata', JSON.stringify(metadata))
  context.print([`${made.id} is ${made.tags.join(', ')}`])
}
