import { randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { cacheKey, cacheLevels, cacheTagsToWrite, imageOfKey } from '#core/image/layer-cache.ts'
import type { CacheFacts, CacheLevel } from '#core/image/layer-cache.ts'
import { taggedName } from '#core/image/reference.ts'
import type { ImageReference } from '#core/image/reference.ts'
import { KnownError } from '#core/errors.ts'
import type { Builder } from '#core/image/build-plan.ts'
import type { ActionContext, StepDocker } from '../actions/built-in-action.ts'
import { openCacheStore } from '../cache/cache-store.ts'
import type { Stop } from '../job-control.ts'
import type { RegistrySession } from './registry-session.ts'

export const cacheKinds = ['engine', 'service', 'registry', 'none'] as const
export type CacheKind = (typeof cacheKinds)[number]

/** Where layers come from and where they go. */
export interface LayerStore {
  readonly kind: CacheKind
  readonly facts: CacheFacts
  readonly builder: Builder
  readonly image: ImageReference
  readonly session: RegistrySession
  readonly isPullRequest: boolean
}

/** Layers that were found. */
export interface FoundLayers {
  readonly level: CacheLevel
  /** Argument of `--cache-from`. */
  readonly from: string
  /** Names that were made for the build alone. */
  readonly temporary: readonly string[]
}

/** What entries of the cache service hold, beside their key: an archive of `docker save`, compressed. */
const serviceVersion = 'shipway-layers/1'

/** The nearest layers that there are, brought to the engine; each level that was looked at is told. */
export async function findLayers(
  context: ActionContext,
  docker: StepDocker,
  store: LayerStore,
): Promise<FoundLayers | undefined> {
  if (store.kind === 'engine') context.print(['Layer cache: what this engine has built before.'])
  if (store.kind === 'none') context.print(['Layer cache: none is used.'])
  if (store.kind !== 'service' && store.kind !== 'registry') return undefined
  const look = store.kind === 'service' ? lookInService : lookInRegistry
  for (const level of cacheLevels(store.facts)) {
    const found = await look(context, docker, store, level)
    context.print([`Layer cache: ${level.label}: ${found === undefined ? 'nothing' : 'found, used'}`])
    if (found !== undefined) return found
  }
  return undefined
}

/** Keeps the layers of an image. What goes wrong is a warning: the next build is slower, that is all. */
export async function keepLayers(
  context: ActionContext,
  docker: StepDocker,
  store: LayerStore,
  id: string,
): Promise<void> {
  try {
    if (store.kind === 'service') await keepInService(context, docker, store, id)
    if (store.kind === 'registry') await keepInRegistry(context, docker, store, id)
  } catch (error) {
    const isForeseen = error instanceof KnownError || (error as NodeJS.ErrnoException).syscall !== undefined
    if (!isForeseen || !(error instanceof Error)) throw error
    if (error instanceof KnownError && error.code === 'CACHE_ENTRY_EXISTS') {
      context.print(['Layer cache: these very layers are kept already.'])
      return
    }
    context.warn(`The layers were not kept: ${error.message}`)
  }
}

async function lookInService(
  context: ActionContext,
  docker: StepDocker,
  _store: LayerStore,
  level: CacheLevel,
): Promise<FoundLayers | undefined> {
  const entries = openCacheStore(context.order, context.now)
  const entry = entries.find({ keys: [level.prefix], version: serviceVersion })
  if (entry === undefined) return undefined
  const id = imageOfKey(entry.key)
  const isHere = (await docker.ask(['image', 'inspect', '--format', '.', id])).exitCode === 0
  // The archive has no name of an image in it, so that it takes none away.
  if (!isHere && (await docker.tell(['load', '--input', entries.pathOf(entry)])).exitCode !== 0) return undefined
  const name = layersName(id)
  const { exitCode } = await docker.ask(['tag', id, name])
  return exitCode === 0 ? { level, from: name, temporary: [name] } : undefined
}

async function lookInRegistry(
  context: ActionContext,
  docker: StepDocker,
  { image, session, builder }: LayerStore,
  level: CacheLevel,
): Promise<FoundLayers | undefined> {
  const name = taggedName(image, level.tag)
  const answer = await session.ask(image, (client) => client.manifest(level.tag, 'HEAD'))
  if (answer.kind !== 'answer' || answer.status !== 200) {
    // Nothing there yet is no reason for a word.
    const why = answer.kind === 'silent' ? answer.problem : answer.status === 404 ? '' : `it says ${answer.status}`
    if (why !== '') context.print([`Layer cache: ${name} is not to be had: ${why}`])
    return undefined
  }
  // BuildKit reads what it needs by itself, the older builder only what the engine has.
  const before = session.loginArguments(image)
  if (builder === 'buildkit' || (await docker.tell([...before, 'pull', '--quiet', name])).exitCode === 0)
    return { level, from: name, temporary: builder === 'classic' ? [name] : [] }
  return undefined
}

async function keepInService(
  context: ActionContext,
  docker: StepDocker,
  { facts }: LayerStore,
  id: string,
): Promise<void> {
  const entries = openCacheStore(context.order, context.now)
  const key = cacheKey(facts, id)
  entries.checkFree(key, serviceVersion)
  const archive = join(context.temp, `_layers_${randomUUID()}.tar`)
  try {
    if ((await docker.tell(['save', '--output', archive, id])).exitCode !== 0) return
    await context.stoppable((stop) => compress(archive, stop))
    const { size } = await entries.publish(key, serviceVersion, `${archive}.gz`)
    context.print([`Layer cache: kept for version ${facts.version || '(none)'} on ${facts.branch} (${size} B)`])
  } finally {
    rmSync(archive, { force: true })
    rmSync(`${archive}.gz`, { force: true })
  }
}

async function compress(archive: string, stop: Stop): Promise<void> {
  const file = createWriteStream(`${archive}.gz`, { mode: 0o600 })
  try {
    await pipeline(createReadStream(archive), createGzip({ level: 1 }), file, { signal: stop.signal })
  } catch (error) {
    stop.check()
    throw error
  }
}

async function keepInRegistry(
  context: ActionContext,
  docker: StepDocker,
  { facts, image, session, isPullRequest }: LayerStore,
  id: string,
): Promise<void> {
  for (const tag of cacheTagsToWrite(facts, isPullRequest)) {
    const name = taggedName(image, tag)
    await docker.ask(['tag', id, name])
    try {
      await session.push(image, tag)
      context.print([`Layer cache: kept as ${name}`])
    } finally {
      await docker.ask(['image', 'rm', '--no-prune', name])
    }
  }
}

/**
 * A name in the engine that no registry has: without one, BuildKit does not find an image. It is of this build alone, because
 * another one may take its own away meanwhile.
 */
function layersName(id: string): string {
  return `shipway.local/layers:${id.slice(-12)}-${randomUUID().slice(0, 8)}`
}
