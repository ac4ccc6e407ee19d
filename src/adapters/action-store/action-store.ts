import { readdir, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  actionFromFolder,
  actionNotStored,
  actionRefMoved,
  actionRefUnknown,
  actionSourceInvalid,
  actionStoreDamaged,
} from '#core/known/action.ts'
import { isCommitId, pinKey } from '#core/action/remote-name.ts'
import type { ActionOrigin } from '#core/action/lock.ts'
import type { ActionLibrary, StoredCommit, StoredRef, StoredVerdict } from '#ports/action-store.ts'
import { listRefs, readRef, removeRef, writeRef } from './ref-record.ts'
import { askRemote, remoteBranch } from './remote-ref.ts'
import { fetchCommit, hasCommit, listTree, ownGit, prepareRepository, repositoryAt } from './repository.ts'
import type { StoredRepository } from './repository.ts'
import { publicUrl, readSource, remoteUrl } from './source.ts'
import { withStoreLock } from './store-lock.ts'
import { takeFolder } from './take-folder.ts'
import { dropUnnamed, noteUse, pruneCommits } from './prune-commit.ts'
import { verifyRemote } from './verify-remote.ts'
import { findDamage, removeTree, writeTree } from './tree-folder.ts'

export interface ActionStoreOptions {
  /** Absolute path of the store's folder. */
  readonly root: string
  /** `SHIPWAY_ACTIONS_URL`: wins over what projects say; `off` for no network at all. */
  readonly baseUrl?: string
  /** Milliseconds since 1970. */
  readonly now: () => number
}

type Name = { readonly repository: string; readonly ref: string }

/** The store of a home: `<root>/<owner>/<repo>/{git,refs,trees/<commit>}`. */
export function openActionStore(options: ActionStoreOptions): ActionLibrary {
  return {
    resolve: async (name, origin, signal) => resolve(options, name, { origin, signal }),
    folder: async (commit) => folderOf(options, commit),
    gitFolder: async ({ repository, commit }) => {
      await noteUse(open(options, repository), commit, options.now())
      return open(options, repository).gitDir
    },
    readText: async (commit, path) => readText(options, commit, path),
    add: async (source, name, signal) => add(options, source, { name, signal }),
    update: async (name, origin, signal) => update(options, name, { origin, signal }),
    list: async () => list(options),
    verify: async () => verify(options),
    verifyRemote: async (signal) => verifyRemote(await repositories(options), signal),
    prune: async (asked) => pruneCommits(await repositories(options), { ...asked, now: options.now() }),
    remove: async (name) => remove(options, name),
  }
}

interface Asked {
  readonly origin: ActionOrigin
  readonly signal: AbortSignal | undefined
}

async function resolve(options: ActionStoreOptions, name: Name, asked: Asked): Promise<StoredCommit> {
  const repository = open(options, name.repository)
  const pin = asked.origin.pins[pinKey(name)]
  const wanted = isCommitId(name.ref) ? name.ref : pin?.commit
  const known = wanted ?? (await readRef(repository, name.ref))?.commit
  if (known !== undefined && (await hasCommit(repository, known))) return { repository: repository.name, commit: known }
  const stored = await fetchRef(options, name, { ...asked, ...(wanted === undefined ? {} : { wanted }) })
  return { repository: repository.name, commit: stored.commit }
}

/** Gets what a ref stands for now; with `wanted`, only if it is that. */
async function fetchRef(
  options: ActionStoreOptions,
  name: Name,
  { origin, signal, wanted }: Asked & { readonly wanted?: string },
): Promise<StoredRef> {
  const repository = open(options, name.repository)
  const label = `${name.repository}@${name.ref}`
  const url = remoteUrl(name, origin, options.baseUrl)
  if (url === undefined) {
    throw actionNotStored({ name: label, url, problem: 'fetching actions is switched off (SHIPWAY_ACTIONS_URL=off)' })
  }
  await prepareRepository(repository)
  return withStoreLock(repository.lock, async () => {
    // Another process may have fetched it while this one waited.
    if (wanted !== undefined && (await hasCommit(repository, wanted)))
      return { ...name, repository: repository.name, commit: wanted, storedAt: options.now() }
    const remote = await askRemote(repository, url, name.ref, signal)
    if (remote.kind === 'unreachable') throw actionNotStored({ name: label, url, problem: remote.problem })
    if (remote.kind === 'unknown') throw actionRefUnknown({ name: label, ref: name.ref, url, known: remote.known })
    if (wanted !== undefined && remote.commit !== wanted) {
      throw actionRefMoved({ name: label, pinned: wanted, found: remote.commit, url })
    }
    const fetched = await fetchCommit(repository, { url, source: remote.source }, signal)
    if ('problem' in fetched) throw actionNotStored({ name: label, url, problem: fetched.problem })
    if (wanted !== undefined && fetched.commit !== wanted) {
      throw actionRefMoved({ name: label, pinned: wanted, found: fetched.commit, url })
    }
    return record(options, repository, { ref: name.ref, commit: fetched.commit, url })
  })
}

async function record(
  { now }: ActionStoreOptions,
  repository: StoredRepository,
  found: {
    readonly ref: string
    readonly commit: string
    readonly url: string | undefined
    readonly folder?: string | undefined
  },
): Promise<StoredRef> {
  const url = found.url === undefined ? undefined : publicUrl(found.url)
  const stored = {
    repository: repository.name,
    ref: found.ref,
    commit: found.commit,
    ...(url === undefined ? {} : { url }),
    ...(found.folder === undefined ? {} : { folder: found.folder }),
    storedAt: now(),
  }
  await writeRef(repository, stored)
  return stored
}

async function update(options: ActionStoreOptions, name: Name, asked: Asked): Promise<StoredRef> {
  const stored = await readRef(open(options, name.repository), name.ref)
  const asksOther = remoteUrl(name, asked.origin, options.baseUrl)?.startsWith('file:') !== true
  // A base url that is a folder leaves no address behind either; an earlier version of Shipway wrote no folder down.
  const isLocal = stored?.folder !== undefined || (stored !== undefined && stored.url === undefined && asksOther)
  if (isLocal && asked.origin.pins[pinKey(name)]?.url === undefined) {
    const storedAt = new Date(stored.storedAt).toISOString().slice(0, 10)
    throw actionFromFolder({ name: `${name.repository}@${name.ref}`, folder: stored.folder, storedAt })
  }
  return fetchRef(options, name, asked)
}

async function folderOf(options: ActionStoreOptions, { repository: name, commit }: StoredCommit): Promise<string> {
  const repository = open(options, name)
  const folder = join(repository.trees, commit)
  const entries = await listTree(repository, commit)
  await noteUse(repository, commit, options.now())
  if ((await findDamage(entries, folder)) === undefined) return folder
  await withStoreLock(repository.lock, async () => {
    // Another process may have mended it while this one waited.
    if ((await findDamage(entries, folder)) !== undefined) await writeChecked(repository, commit, folder)
  })
  return folder
}

async function writeChecked(repository: StoredRepository, commit: string, folder: string): Promise<void> {
  const entries = await listTree(repository, commit)
  try {
    await writeTree(repository.gitDir, entries, folder)
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    throw actionStoreDamaged({ repository: repository.name, problem, cause })
  }
}

async function readText(
  options: ActionStoreOptions,
  { repository: name, commit }: StoredCommit,
  path: string,
): Promise<string | undefined> {
  const repository = open(options, name)
  const entry = (await listTree(repository, commit)).find((candidate) => candidate.path === path)
  await noteUse(repository, commit, options.now())
  if (entry === undefined || entry.kind === 'link') return undefined
  return (await ownGit(repository, ['cat-file', 'blob', entry.oid])).toString('utf8')
}

async function add(
  options: ActionStoreOptions,
  source: string,
  asked: {
    readonly name: { readonly repository?: string; readonly ref?: string }
    readonly signal: AbortSignal | undefined
  },
): Promise<{ readonly stored: StoredRef; readonly note?: string }> {
  const from = await readSource(source, asked.name.repository)
  const repository = open(options, from.repository)
  await prepareRepository(repository)
  return withStoreLock(repository.lock, async () => {
    if (from.kind === 'folder') {
      const commit = await takeFolder(repository, from.path)
      const ref = asked.name.ref ?? 'main'
      return { stored: await record(options, repository, { ref, commit, url: undefined, folder: from.path }) }
    }
    const { url } = from
    const ref = asked.name.ref ?? (await remoteBranch(repository, url)) ?? 'HEAD'
    const label = `${from.repository}@${ref}`
    const remote = await askRemote(repository, url, ref, asked.signal)
    if (remote.kind === 'unreachable') throw actionSourceInvalid({ source, problem: remote.problem })
    if (remote.kind === 'unknown' && !from.isLocal)
      throw actionRefUnknown({ name: label, ref, url, known: remote.known })
    const wanted = remote.kind === 'found' ? remote.source : 'HEAD'
    const fetched = await fetchCommit(repository, { url, source: wanted }, asked.signal)
    if ('problem' in fetched) throw actionSourceInvalid({ source, problem: fetched.problem })
    const stored = await record(options, repository, {
      ref,
      commit: fetched.commit,
      url: from.isLocal ? undefined : url,
      folder: from.isLocal ? source : undefined,
    })
    const note = remote.kind === 'found' ? undefined : `${source} has no "${ref}"; its HEAD is stored under that name.`
    return { stored, ...(note === undefined ? {} : { note }) }
  })
}

async function list(options: ActionStoreOptions): Promise<readonly StoredRef[]> {
  const refs = await Promise.all((await repositories(options)).map((repository) => listRefs(repository)))
  return refs.flat()
}

async function verify(options: ActionStoreOptions): Promise<readonly StoredVerdict[]> {
  const verdicts: StoredVerdict[] = []
  for (const repository of await repositories(options)) {
    const commits = new Set((await listRefs(repository)).map(({ commit }) => commit))
    for (const commit of commits) verdicts.push(await verifyCommit(repository, commit))
  }
  return verdicts
}

async function verifyCommit(repository: StoredRepository, commit: string): Promise<StoredVerdict> {
  const of = { repository: repository.name, commit }
  const folder = join(repository.trees, commit)
  try {
    await ownGit(repository, ['fsck', '--no-progress', '--no-dangling', '--no-reflogs', commit])
    const damage = existsSync(folder) ? await findDamage(await listTree(repository, commit), folder) : undefined
    if (damage === undefined) return { ...of, state: 'sound' }
    await withStoreLock(repository.lock, async () => writeChecked(repository, commit, folder))
    return { ...of, state: 'mended', problem: damage }
  } catch (error) {
    return { ...of, state: 'damaged', problem: error instanceof Error ? error.message : String(error) }
  }
}

async function remove(
  options: ActionStoreOptions,
  name: { readonly repository: string; readonly ref?: string },
): Promise<number> {
  const repository = open(options, name.repository)
  if (!existsSync(repository.folder)) return 0
  const { ref } = name
  if (ref !== undefined) return withStoreLock(repository.lock, async () => removeOne(repository, ref))
  const count = (await listRefs(repository)).length
  await withStoreLock(repository.lock, async () => {
    await removeTree(repository.trees)
    for (const path of [repository.refs, repository.gitDir, join(repository.folder, 'used')])
      await rm(path, { recursive: true, force: true })
  })
  return count
}

async function removeOne(repository: StoredRepository, ref: string): Promise<number> {
  const before = await readRef(repository, ref)
  const count = Number(await removeRef(repository, ref))
  if (before !== undefined) await dropUnnamed(repository, [before.commit])
  return count
}

async function repositories({ root }: ActionStoreOptions): Promise<readonly StoredRepository[]> {
  const owners = await foldersIn(root)
  const names = await Promise.all(
    owners.map(async (owner) => (await foldersIn(join(root, owner))).map((name) => `${owner}/${name}`)),
  )
  return names
    .flat()
    .toSorted()
    .map((name) => repositoryAt(root, name))
}

async function foldersIn(path: string): Promise<readonly string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

function open({ root }: ActionStoreOptions, repository: string): StoredRepository {
  return repositoryAt(root, repository.toLowerCase())
}
