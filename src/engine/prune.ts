import { expiredArtifacts, expiredRuns, isOldEnough, youngMs } from '#core/home/retention.ts'
import type { KeptArtifact } from '#core/home/retention.ts'
import { homeLayout } from '#core/home/layout.ts'
import type { HomeAttic } from '#ports/home-attic.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'
import { endedRuns, evidenceDigests, releaseDigests } from '#store/retention.ts'
import { pruneSecrets } from './prune-secrets.ts'
import type { PrunedSecrets } from './prune-secrets.ts'

export interface PruneOptions {
  /** Milliseconds since 1970. */
  readonly now: number
  /** Days that ended runs keep their files. */
  readonly runDays: number
  /** Says what would go, and removes nothing. */
  readonly isDryRun: boolean
  /** Asked before each removal: false ends the work, which can go on at any time. */
  readonly mayGoOn: () => boolean
}

/** What was removed, or would be. */
export interface PruneReport {
  readonly runs: readonly string[]
  readonly artifacts: readonly { readonly run: string; readonly name: string }[]
  readonly formerSecrets: readonly PrunedSecrets[]
  readonly blobs: number
  /** Of the runs and the blobs, in bytes. */
  readonly bytes: number
  /** Why contents were left alone, where they were. */
  readonly kept?: string
}

/**
 * Clears a home out: files of runs that ended long ago, artifacts whose days are over, former secrets of environments that are no more, and contents that
 * neither an artifact nor a release names. Nothing is recorded and nothing has to be: whatever a killed call leaves, the next one finds in the same way. The order matters, who names comes before
 * what is named; so a blob is never gone while its artifact is there. Who calls has the right of the agent, and nothing runs.
 */
export async function pruneHome(
  world: {
    readonly query: Query
    readonly attic: HomeAttic
    readonly files: Pick<HomeFiles, 'list' | 'readText' | 'write' | 'remove'>
  },
  options: PruneOptions,
): Promise<PruneReport> {
  const { attic } = world
  if (!options.isDryRun) await attic.clearLeftovers(options.now - youngMs)
  const runs = await pruneRuns(world, options)
  const gone = new Set(runs.ids)
  const left = attic.runs().filter((run) => !gone.has(run))
  const artifacts = await pruneArtifacts(world, left, options)
  const formerSecrets = await pruneSecrets(world, options)
  const blobs = await pruneBlobs(world, { left, expired: artifacts }, options)
  return {
    runs: runs.ids,
    artifacts: artifacts.map(({ run, name }) => ({ run, name })),
    formerSecrets,
    blobs: blobs.count,
    bytes: runs.bytes + blobs.bytes,
    ...(blobs.kept === undefined ? {} : { kept: blobs.kept }),
  }
}

type World = Parameters<typeof pruneHome>[0]

async function pruneRuns(
  { query, attic }: World,
  { now, runDays, isDryRun, mayGoOn }: PruneOptions,
): Promise<{ readonly ids: readonly string[]; readonly bytes: number }> {
  const there = new Set(attic.runs())
  const ids: string[] = []
  let bytes = 0
  for (const { id } of expiredRuns(await endedRuns(query), now, runDays)) {
    if (!there.has(id)) continue
    bytes += await attic.runBytes(id)
    if (!mayGoOn()) break
    if (!isDryRun) await attic.removeRun(id)
    ids.push(id)
  }
  return { ids, bytes }
}

async function pruneArtifacts(
  { query, attic }: World,
  left: readonly string[],
  { now, isDryRun, mayGoOn }: PruneOptions,
): Promise<readonly KeptArtifact[]> {
  const ended = new Set((await endedRuns(query)).map(({ id }) => id))
  const expired = left
    .filter((run) => ended.has(run))
    .flatMap((run) => expiredArtifacts(attic.artifacts(run) ?? [], now))
    .filter(() => mayGoOn())
  if (!isDryRun) for (const { run, name } of expired) attic.removeArtifact(run, name)
  return expired
}

async function pruneBlobs(
  world: World,
  { left, expired }: { readonly left: readonly string[]; readonly expired: readonly KeptArtifact[] },
  { now, isDryRun, mayGoOn }: PruneOptions,
): Promise<{ readonly count: number; readonly bytes: number; readonly kept?: string }> {
  const { attic, files } = world
  // A ticket that imports a release names contents that no row names yet.
  if ([homeLayout.inbox, homeLayout.processing].some((folder) => files.list(folder).length > 0))
    return { count: 0, bytes: 0, kept: 'tickets wait for an agent, and may name contents' }
  const named = await namedDigests(world, left, expired)
  if (typeof named === 'string') return { count: 0, bytes: 0, kept: named }
  let count = 0
  let bytes = 0
  for (const blob of attic.blobs()) {
    if (named.has(blob.digest) || !isOldEnough(blob.changedAt, now)) continue
    if (!mayGoOn()) break
    if (!isDryRun && !attic.removeBlob(blob)) continue
    count += 1
    bytes += blob.size
  }
  return { count, bytes }
}

/** Everything that somebody names; a sentence when nobody can tell. */
async function namedDigests(
  { query, attic }: World,
  left: readonly string[],
  expired: readonly KeptArtifact[],
): Promise<ReadonlySet<string> | string> {
  const named = new Set<string>()
  const isExpired = new Set(expired.map(({ run, name }) => `${run}/${name}`))
  for (const run of left) {
    const artifacts = attic.artifacts(run)
    if (artifacts === undefined) return `an artifact of ${run} cannot be read, so that nobody knows what it names`
    for (const { name, digests } of artifacts)
      if (!isExpired.has(`${run}/${name}`)) for (const digest of digests) named.add(digest)
  }
  for await (const digests of releaseDigests(query)) for (const digest of digests) named.add(digest)
  for (const digest of await evidenceDigests(query)) named.add(digest)
  return named
}
