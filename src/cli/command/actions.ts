import { resolve } from 'node:path'
import { KnownError } from '#core/errors.ts'
import { actionNameInvalid } from '#core/known/action.ts'
import { parseRemoteName, pinKey } from '#core/action/remote-name.ts'
import type { RemoteName } from '#core/action/remote-name.ts'
import type { RemoteVerdict, StoredRef, StoredVerdict } from '#ports/action-store.ts'
import { readLock, removePins, writeLock } from '../action-lock.ts'
import type { ProjectLock } from '../action-lock.ts'
import type { CommandPage } from '../command.ts'
import { printList } from '../print-list.ts'
import { findProject } from '../project.ts'
import type { Session } from '../session.ts'
import { age, exactTime } from '../time.ts'
import { actionsUsedBy, usedActions } from '../used-actions.ts'
import { readWorkflows } from '../workflow-source.ts'

const commitShown = 12

export const page: CommandPage = {
  description:
    'Actions and reusable workflows of other repositories (`uses: owner/repo@ref`) are kept in the state home: fetched once, and without a network from then on. The commits that a project has accepted stand in .shipway/actions.lock, which is committed with it.',
  examples: [
    { command: 'shipway actions update', purpose: 'fetch and pin everything that the workflows use' },
    { command: 'shipway actions add ../setup acme/setup@v1', purpose: 'take one from a folder or a git url' },
    { command: 'shipway actions list', purpose: 'what is stored, and what is pinned' },
  ],
  exits: [0, 1, 2, 3, 5],
  commands: [
    {
      name: 'add',
      summary: 'store an action from a git url, a git repository or a plain folder',
      description:
        'Stores a commit under owner/repo@ref and pins it in .shipway/actions.lock of this project. Without a name it is taken from the url, without @ref the default branch. A plain folder is stored as it is, ignored files included.',
      examples: [
        { command: 'shipway actions add https://git.example.org/acme/setup acme/setup@v1', purpose: 'from a git url' },
        { command: 'shipway actions add ../setup acme/setup@v1', purpose: 'from a folder of this machine' },
      ],
      exits: [0, 2, 5],
      define: (command, act) => {
        command
          .argument('<source>', 'git url, git repository or folder')
          .argument('[name]', 'owner/repo@ref that workflows use')
          .option('--no-lock', 'leave .shipway/actions.lock as it is')
          .action(act(add))
      },
    },
    {
      name: 'list',
      summary: 'what is stored, and what is pinned',
      description: 'Lists the refs in the store, and which of them this project has pinned.',
      examples: [
        { command: 'shipway actions list', purpose: 'all' },
        { command: 'shipway actions list --json', purpose: 'as JSON' },
      ],
      exits: [0],
      define: (command, act) => {
        command.action(act(list))
      },
    },
    {
      name: 'update',
      summary: 'fetch what refs stand for now, and pin it',
      description:
        'Asks again what refs stand for, stores that, and writes it into .shipway/actions.lock: how a moved tag is accepted. Without names: everything that the workflows of this project use or its lock names, and what those actions use themselves.',
      examples: [
        { command: 'shipway actions update', purpose: 'everything that this project uses' },
        { command: 'shipway actions update acme/setup@v1', purpose: 'accept one ref that has moved' },
      ],
      exits: [0, 2, 5],
      define: (command, act) => {
        command.argument('[names...]', 'owner/repo@ref').action(act(update))
      },
    },
    {
      name: 'verify',
      summary: 'compare every stored file with its commit, and mend it',
      description:
        'Checks the git objects of every stored commit and compares its files with them. What was changed is written again. Ends with 1 when something cannot be mended, or a pinned commit is not stored.',
      examples: [
        { command: 'shipway actions verify', purpose: 'all of the store' },
        { command: 'shipway actions verify --remote', purpose: 'whether a tag was moved where it came from' },
      ],
      exits: [0, 1],
      define: (command, act) => {
        command
          .option('--remote', 'ask where each ref came from, too: one that has moved or is gone ends with 1')
          .action(act(verify))
      },
    },
    {
      name: 'remove',
      summary: 'remove a ref, or a whole repository, from the store and the lock',
      description: 'Removes what is stored. A run that needs it fetches it again.',
      examples: [
        { command: 'shipway actions remove acme/setup@v1', purpose: 'one ref' },
        { command: 'shipway actions remove acme/setup', purpose: 'the repository with all refs' },
      ],
      exits: [0, 2],
      define: (command, act) => {
        command.argument('<name>', 'owner/repo or owner/repo@ref').action(act(remove))
      },
    },
  ],
}

async function add(session: Session, source: string, written?: string, flags?: { lock?: boolean }): Promise<number> {
  const name = written === undefined ? {} : parsePartialName(written)
  const store = await session.services.actions(session.home)
  // A path is relative to the folder of the call; what is no path stays as it is.
  const isPath = !/^[a-z][a-z+.-]*:|^[^/]+@[^/]+:/i.test(source)
  const { stored, note } = await store.add(isPath ? resolve(session.directory, source) : source, name)
  if (note !== undefined) session.warn(note)
  const lock = flags?.lock === false ? undefined : await readLock(session)
  if (lock !== undefined) await writeLock(lock, [stored])
  report(session, { lock, stored: [stored] })
  return 0
}

async function update(session: Session, written: readonly string[] = []): Promise<number> {
  const lock = await readLock(session)
  const store = await session.services.actions(session.home)
  const project = await findProject(session.directory)
  const baseUrl = project?.parsed.value?.actionsUrl
  const origin = { pins: lock?.pins ?? {}, ...(baseUrl === undefined ? {} : { baseUrl }) }
  // What was asked for by its name cannot be left as it is without a word; among all of a project, the others go on.
  const stayLocal = (error: unknown): undefined => {
    if (written.length > 0 || !(error instanceof KnownError) || error.code !== 'ACTION_FROM_FOLDER') throw error
    session.warn([error.message, error.hint].join(' '))
  }
  const queue: RemoteName[] = written.length > 0 ? written.map(parseName) : [...(await wantedNames(session, lock))]
  const done = new Map<string, StoredRef>()
  // What composite actions use themselves comes behind.
  for (const name of queue) {
    const key = pinKey(name)
    const stored = done.get(key) ?? (await store.update(name, origin).catch((error) => stayLocal(error)))
    if (stored === undefined) continue
    done.set(key, stored)
    const inner = await actionsUsedBy(store, stored, name.path)
    queue.push(...inner.filter((other) => !queue.some((known) => isSame(known, other))))
  }
  const stored = [...done.values()]
  if (lock !== undefined && stored.length > 0) await writeLock(lock, stored)
  report(session, { lock, stored })
  return 0
}

async function wantedNames(session: Session, lock: ProjectLock | undefined): Promise<readonly RemoteName[]> {
  if (lock === undefined) return []
  const files = await readWorkflows(lock.root, session.directory, undefined)
  const models = files.flatMap(({ parsed }) => (parsed.value === undefined ? [] : [parsed.value]))
  return [...usedActions(models), ...Object.keys(lock.pins).map(parseName)]
}

function isSame(one: RemoteName, other: RemoteName): boolean {
  return pinKey(one) === pinKey(other) && one.path === other.path
}

function report(
  session: Session,
  { lock, stored }: { readonly lock: ProjectLock | undefined; readonly stored: readonly StoredRef[] },
): void {
  const rows = stored.map((ref) => ({ ...ref, before: lock?.pins[pinKey(ref)]?.commit }))
  if (session.isJson) {
    session.printJson({ apiVersion: 'v1', kind: 'ActionList', items: rows })
    return
  }
  for (const { repository, ref, commit, before } of rows) {
    const change = before === undefined || before === commit ? '' : `  (was ${before.slice(0, commitShown)})`
    session.print(`${repository}@${ref}  ${commit}${change}`)
  }
  if (rows.length === 0)
    session.say('There is nothing to update: no workflow here uses an action of another repository.')
  else if (lock !== undefined) session.say('Pinned in .shipway/actions.lock; commit it with the project.')
}

async function list(session: Session): Promise<number> {
  const store = await session.services.actions(session.home)
  const lock = await readLock(session)
  const rows = (await store.list()).map((stored) => ({ ...stored, pinned: lock?.pins[pinKey(stored)]?.commit }))
  const now = session.world.now()
  printList(session, {
    kind: 'ActionList',
    rows,
    columns: [
      { title: 'NAME', screen: (row) => `${row.repository}@${row.ref}` },
      { title: 'COMMIT', screen: (row) => row.commit.slice(0, commitShown), pipe: (row) => row.commit },
      { title: 'PINNED', screen: pinText },
      { title: 'STORED', screen: (row) => `${age(now, row.storedAt)} ago`, pipe: (row) => exactTime(row.storedAt) },
      {
        title: 'FROM',
        screen: (row) => row.url ?? row.folder ?? '-',
        pipe: (row) => row.url ?? row.folder ?? '',
        shrink: 1,
      },
    ],
    toJson: (row) => row,
    idOf: (row) => `${row.repository}@${row.ref}`,
    empty: 'Nothing is stored. `shipway actions update` fetches what the workflows here use.',
  })
  return 0
}

function pinText({ commit, pinned }: StoredRef & { readonly pinned: string | undefined }): string {
  if (pinned === undefined) return 'no'
  return pinned === commit ? 'yes' : `at ${pinned.slice(0, commitShown)}`
}

async function verify(session: Session, flags: { readonly remote?: boolean }): Promise<number> {
  if (flags.remote === true) return verifyRemote(session)
  const store = await session.services.actions(session.home)
  const verdicts = await store.verify()
  const lock = await readLock(session)
  const here = new Set((await store.list()).map(({ commit }) => commit))
  const missing = Object.entries(lock?.pins ?? {}).filter(([, { commit }]) => !here.has(commit))
  printList<StoredVerdict>(session, {
    kind: 'ActionVerdictList',
    rows: verdicts,
    columns: [
      { title: 'REPOSITORY', screen: (row) => row.repository },
      { title: 'COMMIT', screen: (row) => row.commit.slice(0, commitShown), pipe: (row) => row.commit },
      { title: 'STATE', screen: (row) => row.state },
      { title: 'PROBLEM', screen: (row) => row.problem ?? '-', pipe: (row) => row.problem ?? '', shrink: 1 },
    ],
    toJson: (row) => row,
    idOf: (row) => row.commit,
    empty: 'Nothing is stored.',
  })
  for (const [key, { commit }] of missing)
    session.warn(`${key} is pinned at ${commit}, which is not stored: a run will fetch it.`)
  return verdicts.some(({ state }) => state === 'damaged') || missing.length > 0 ? 1 : 0
}

async function verifyRemote(session: Session): Promise<number> {
  const store = await session.services.actions(session.home)
  const verdicts = await store.verifyRemote()
  printList<RemoteVerdict>(session, {
    kind: 'ActionRemoteVerdictList',
    rows: verdicts,
    columns: [
      { title: 'NAME', screen: (row) => `${row.repository}@${row.ref}` },
      { title: 'COMMIT', screen: (row) => row.commit.slice(0, commitShown), pipe: (row) => row.commit },
      { title: 'REMOTE', screen: (row) => row.state },
      { title: 'NOW', screen: (row) => row.now?.slice(0, commitShown) ?? '-', pipe: (row) => row.now ?? '' },
      { title: 'PROBLEM', screen: (row) => row.problem ?? '-', pipe: (row) => row.problem ?? '', shrink: 1 },
    ],
    toJson: (row) => row,
    idOf: (row) => `${row.repository}@${row.ref}`,
    empty: 'Nothing is stored.',
  })
  return verdicts.every(({ state }) => state === 'same' || state === 'local') ? 0 : 1
}

async function remove(session: Session, written: string): Promise<number> {
  const name = parsePartialName(written)
  const store = await session.services.actions(session.home)
  const count = await store.remove(name)
  const lock = await readLock(session)
  const { repository, ref } = name
  const isGone = (key: string): boolean =>
    ref === undefined ? key.startsWith(`${repository.toLowerCase()}@`) : key === pinKey({ repository, ref })
  if (lock !== undefined) await removePins(lock, isGone)
  if (session.isJson) session.printJson({ apiVersion: 'v1', kind: 'ActionRemoval', name: written, count })
  else session.print(`${written}: ${count} ${count === 1 ? 'ref' : 'refs'} removed`)
  return 0
}

function parseName(written: string): RemoteName {
  const name = parseRemoteName(written)
  if (name === undefined) throw actionNameInvalid({ name: written })
  return name
}

function parsePartialName(written: string): { readonly repository: string; readonly ref?: string } {
  if (written.includes('@')) return parseName(written)
  return { repository: parseName(`${written}@x`).repository }
}
