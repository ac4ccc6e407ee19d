import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { fileUnreadable, flagInvalid, refNotFound, repositoryEmpty } from '#core/known/cli.ts'
import { toText } from '#core/expression/text.ts'
import { shortRef } from '#core/view/name.ts'
import type { EventFacts } from '#core/ticket/model.ts'
import { fileProblem } from './file-problem.ts'
import type { RepositoryFacts } from '#ports/repository-facts.ts'
import type { Session } from './session.ts'

/** Largest payload that is read from `--event-file`: GitHub sends at most 25 MB. Bytes. */
const eventFileLengthMax = 25 * 1024 * 1024

/** Characters of all names of changed files that an event carries: it is part of a ticket, which is small. Some thousand files. */
const changedFilesLengthMax = 64 * 1024

/** The flags that say which event is meant: `run` and `plan` share them. */
export interface EventFlags {
  readonly eventFile?: string
  readonly ref?: string
  readonly repository?: string
  readonly actor?: string
  readonly input?: Readonly<Record<string, string>>
  readonly changedFiles?: readonly string[]
  /** Whether uncommitted changes become a commit object. */
  readonly takesSnapshot: boolean
}

/** An event on a commit, made up from what git says, as the forge would tell it. */
export interface PreparedEvent {
  readonly event: EventFacts
  /** The commit is a snapshot of the working tree with its uncommitted changes. */
  readonly isDirty: boolean
  /** Remarks for the reader: snapshot, detached HEAD. */
  readonly remarks: readonly string[]
}

/** The event that a call means: a payload from a file, a ref and the state of the working tree, in this order of precedence. */
export async function prepareEvent(
  session: Session,
  facts: RepositoryFacts,
  name: string,
  flags: EventFlags,
): Promise<PreparedEvent> {
  const given = flags.eventFile === undefined ? {} : await readPayload(session, flags.eventFile)
  const remarks: string[] = []
  const eventName = name === 'tag' ? 'push' : name
  const defaultBranch = await defaultBranchFor(session, facts, eventName)
  const place = await findCommit(session, facts, { name, flags, payload: given, remarks, defaultBranch })
  const inputs = mergeInputs(eventName === 'workflow_dispatch' ? inputsIn(given) : {}, flags.input ?? {})
  const hasInputs = Object.keys(inputs).length > 0
  const payload = {
    ...defaultPayload(facts, eventName, place),
    ...given,
    ...(hasInputs && eventName === 'workflow_dispatch' ? { inputs } : {}),
  }
  const headSha = eventName === baseBranchEvent ? facts.sha : undefined
  const refs = pullRequestRefs(facts, eventName, { payload, defaultBranch })
  const changed =
    flags.changedFiles ??
    changedIn(given) ??
    (flags.eventFile === undefined ? await changedFilesOf(session, facts, { place, refs, headSha }) : undefined)
  return {
    event: {
      name: eventName,
      ref: place.ref,
      sha: place.sha,
      payload,
      ...(place.parent === undefined || eventName !== 'push' ? {} : { before: place.parent }),
      ...refs,
      ...(eventName.startsWith('pull_request') && place.message !== undefined ? { message: place.message } : {}),
      ...(defaultBranch === undefined ? {} : { defaultBranch }),
      ...tellable(changed, remarks),
      ...(hasInputs ? { inputs } : {}),
    },
    isDirty: place.isDirty,
    remarks,
  }
}

/** Too many files are told like unknown ones: path filters let the commit through, as GitHub's do when there are too many commits. */
function tellable(changedFiles: readonly string[] | undefined, remarks: string[]): Pick<EventFacts, 'changedFiles'> {
  if (changedFiles === undefined) return {}
  const length = changedFiles.reduce((sum, file) => sum + file.length, 0)
  if (length <= changedFilesLengthMax) return { changedFiles }
  remarks.push(`${changedFiles.length} files have changed: too many for path filters, which let the commit through.`)
  return {}
}

/** Events that GitHub takes from the default branch alone. */
const defaultBranchEvents: ReadonlySet<string> = new Set(['schedule', 'repository_dispatch', 'workflow_run'])

/** The event of a pull request that GitHub runs on the branch that is to take it. */
const baseBranchEvent = 'pull_request_target'

/** Asked of git only for events that depend on it: most do not, and it takes two processes. */
async function defaultBranchFor(session: Session, facts: RepositoryFacts, name: string): Promise<string | undefined> {
  if (!defaultBranchEvents.has(name) && !name.startsWith('pull_request')) return undefined
  return (await session.services.git.defaultBranch(facts.root))?.name ?? facts.defaultBranch
}

/** What a pull request changes against its base; for all else, what the commit changes against its parent. */
async function changedFilesOf(
  session: Session,
  facts: RepositoryFacts,
  {
    place,
    refs,
    headSha,
  }: {
    readonly place: Place
    readonly refs: Pick<EventFacts, 'baseRef'>
    /** The commit that asks, where it is not the one that runs. */
    readonly headSha: string | undefined
  },
): Promise<readonly string[] | undefined> {
  const { baseRef } = refs
  if (baseRef === undefined) return place.changedFiles
  const changed = await session.services.changedSince(facts.root, {
    base: shortRef(baseRef),
    sha: headSha ?? place.sha,
  })
  if (changed === undefined) return place.changedFiles
  return place.isDirty ? [...new Set([...changed, ...facts.changes])] : changed
}

function pullRequestRefs(
  facts: RepositoryFacts,
  name: string,
  { payload, defaultBranch }: { readonly payload: JsonObject; readonly defaultBranch: string | undefined },
): Pick<EventFacts, 'baseRef' | 'headRef'> {
  if (!name.startsWith('pull_request')) return {}
  return {
    baseRef: textAt(payload, 'pull_request', 'base', 'ref') ?? defaultBranch ?? facts.defaultBranch,
    headRef: textAt(payload, 'pull_request', 'head', 'ref') ?? shortRef(facts.ref ?? facts.sha ?? ''),
  }
}

interface Place extends Pick<RepositoryFacts, 'message' | 'parent' | 'changedFiles' | 'commitAuthor'> {
  readonly ref: string
  readonly sha: string
  readonly isDirty: boolean
}

interface Wanted {
  readonly name: string
  readonly flags: EventFlags
  readonly payload: JsonObject
  readonly remarks: string[]
  readonly defaultBranch: string | undefined
}

async function findCommit(session: Session, facts: RepositoryFacts, wanted: Wanted): Promise<Place> {
  const { sha } = facts
  if (sha === undefined) throw repositoryEmpty({ root: facts.root })
  const elsewhere = await commitOfEvent(session, facts, wanted)
  if (elsewhere !== undefined) return elsewhere
  const named = wanted.flags.ref ?? textAt(wanted.payload, 'ref')
  if (
    wanted.flags.ref !== undefined &&
    wanted.flags.ref !== facts.ref &&
    wanted.flags.ref !== shortRef(facts.ref ?? '')
  ) {
    const found = await session.services.resolveRef(facts.root, wanted.flags.ref)
    if (found !== undefined && found.sha !== sha) return { ...found, isDirty: false }
    // A plan may ask "what if". In a run, a branch or tag that is not there would pass for one in an environment's rules; only
    // the ref of a pull request exists at the forge alone.
    const mayBeAbsent = wanted.flags.ref.startsWith(wanted.flags.takesSnapshot ? 'refs/pull/' : 'refs/')
    if (found === undefined && !mayBeAbsent) throw refNotFound({ ref: wanted.flags.ref, root: facts.root })
    return workingTree(session, facts, found?.ref ?? wanted.flags.ref, wanted)
  }
  return workingTree(session, facts, await refFor(session, facts, { ...wanted, named }), wanted)
}

/**
 * The commit of an event that GitHub takes from elsewhere than where we are: a schedule from the default branch, `pull_request_target` from
 * the branch that is asked to take the change (so that the change cannot say what runs with its secrets), a release from its tag.
 */
async function commitOfEvent(session: Session, facts: RepositoryFacts, wanted: Wanted): Promise<Place | undefined> {
  const { name, flags, remarks } = wanted
  const ref = flags.ref === undefined ? refOfEvent(wanted) : undefined
  if (ref === undefined || facts.ref === ref) return undefined
  const found = await session.services.resolveRef(facts.root, ref)
  if (found === undefined) return undefined
  if (ref.startsWith('refs/tags/') && found.sha === facts.sha) return { ...found, isDirty: false }
  const kind = ref.startsWith('refs/tags/')
    ? 'its tag'
    : name === baseBranchEvent
      ? 'the base branch'
      : 'the default branch'
  remarks.push(`${name} runs on ${kind}: taking ${shortRef(ref)}; --ref names another.`)
  return { ...found, isDirty: false }
}

/** The full ref that GitHub runs an event on whatever is checked out; undefined: where we are. */
function refOfEvent({ name, payload, defaultBranch }: Wanted): string | undefined {
  if (defaultBranchEvents.has(name)) return `refs/heads/${defaultBranch}`
  if (name === baseBranchEvent) return `refs/heads/${textAt(payload, 'pull_request', 'base', 'ref') ?? defaultBranch}`
  const tag = name === 'release' ? textAt(payload, 'release', 'tag_name') : undefined
  return tag === undefined ? undefined : `refs/tags/${tag}`
}

/** The working tree as it is: HEAD when it is clean, else a commit of its changes that no branch knows. */
async function workingTree(
  session: Session,
  facts: RepositoryFacts,
  ref: string,
  { flags, remarks }: Wanted,
): Promise<Place> {
  const { changes, sha = '', message, parent, commitAuthor } = facts
  const head = {
    ...(commitAuthor === undefined ? {} : { commitAuthor }),
    ...(message === undefined ? {} : { message }),
    ...(parent === undefined ? {} : { parent }),
    ...(facts.changedFiles === undefined ? {} : { changedFiles: [...new Set([...facts.changedFiles, ...changes])] }),
  }
  if (changes.length === 0) return { ref, sha, isDirty: false, ...head }
  const files = changes.length === 1 ? `${changes[0]} has changes` : `${changes.length} files have changes`
  remarks.push(`${files} that nobody committed: taking the working tree as it is.`)
  if (!flags.takesSnapshot) return { ref, sha, isDirty: true, ...head }
  return { ref, sha: (await session.services.snapshotTree(facts.root)).sha, isDirty: true, ...head }
}

async function refFor(
  session: Session,
  facts: RepositoryFacts,
  wanted: Wanted & { readonly named: string | undefined },
): Promise<string> {
  const { name, payload, remarks, named } = wanted
  if (named !== undefined) return fullRef(named)
  if (name === 'tag') {
    const [tag] = facts.tags
    if (tag !== undefined) return tag
    throw flagInvalid({ flag: 'EVENT', value: 'tag', expected: 'a commit with a tag, or --ref refs/tags/NAME' })
  }
  if (name === baseBranchEvent && facts.ref !== undefined && facts.ref === refOfEvent(wanted)) return facts.ref
  if (name === 'pull_request' || name === baseBranchEvent) return `refs/pull/${String(payload['number'] ?? 1)}/merge`
  if (facts.ref !== undefined) return facts.ref
  return detachedRef(session, facts, remarks)
}

/**
 * What a commit is when HEAD is on no branch: its tag, or the default branch whose newest commit it is, as in a checkout of a build server; else only
 * itself. Taken for a branch, any commit of the past would pass the `from` of an environment.
 */
async function detachedRef(session: Session, facts: RepositoryFacts, remarks: string[]): Promise<string> {
  const { sha = '', tags, root } = facts
  const [tag] = tags
  const branch = tag === undefined ? await session.services.git.defaultBranch(root) : undefined
  const ref = tag ?? (branch?.tips.includes(sha) === true ? `refs/heads/${branch.name}` : undefined)
  const where = `HEAD is detached at ${sha.slice(0, 7)}`
  remarks.push(
    ref === undefined
      ? `${where}, which is on no branch as its newest commit: filters for branches and environments with "from" do not take it; --ref NAME names a branch or tag.`
      : `${where}: taking ${ref} for its ref, whose commit it is; --ref names another.`,
  )
  return ref ?? sha
}

function fullRef(name: string): string {
  return name.startsWith('refs/') ? name : `refs/heads/${name}`
}

/** What the sender's payload would say beyond what every payload of the kind holds (`githubContext` adds that). */
function defaultPayload(facts: RepositoryFacts, name: string, place: Place): JsonObject {
  const { ref, sha, message } = place
  if (name === baseBranchEvent) {
    // Its ref says nothing of the request, and its commit is the base's.
    const [head, base] = [
      { ref: shortRef(facts.ref ?? ''), sha: facts.sha ?? '' },
      { ref: shortRef(ref), sha },
    ]
    return { number: 1, pull_request: { number: 1, head, base } }
  }
  if (name !== 'push') return {}
  const pusher = { name: facts.author }
  return { pusher, head_commit: { id: sha, message: message ?? '', author: place.commitAuthor ?? pusher } }
}

async function readPayload(session: Session, path: string): Promise<JsonObject> {
  const unreadable = (problem: string, cause?: unknown) =>
    fileUnreadable({ flag: '--event-file', path, problem, cause })
  let text: string
  try {
    text = await readFile(resolve(session.directory, path), 'utf8')
  } catch (error) {
    throw unreadable(fileProblem(error) ?? 'it cannot be opened', error)
  }
  if (text.length > eventFileLengthMax) throw unreadable(`it is longer than ${eventFileLengthMax} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw unreadable('it is not valid JSON', error)
  }
  if (!isJsonObject(value)) throw unreadable('it must hold one JSON object, the payload of the event')
  return value
}

/** Inputs that the payload of a start by hand brings: texts, whatever their type. */
function inputsIn(payload: JsonObject): Readonly<Record<string, string>> {
  const inputs = payload['inputs']
  if (!isJsonObject(inputs ?? null)) return {}
  return Object.fromEntries(Object.entries(inputs as JsonObject).map(([name, value]) => [name, toText(value)]))
}

/** The flags win over the payload; names of inputs are compared without case. */
function mergeInputs(
  inPayload: Readonly<Record<string, string>>,
  flags: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const named = new Set(Object.keys(flags).map((name) => name.toLowerCase()))
  const kept = Object.entries(inPayload).filter(([name]) => !named.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...flags }
}

/** Files that the commits of a push payload name. */
function changedIn(payload: JsonObject): readonly string[] | undefined {
  const commits = payload['commits']
  if (!Array.isArray(commits)) return undefined
  const files = (commits as readonly Json[]).flatMap((commit) =>
    isJsonObject(commit) ? ['added', 'modified', 'removed'].flatMap((key) => listAt(commit[key])) : [],
  )
  return files.length === 0 ? undefined : [...new Set(files)]
}

function listAt(value: Json | undefined): readonly string[] {
  return Array.isArray(value)
    ? (value as readonly Json[]).filter((item): item is string => typeof item === 'string')
    : []
}

function textAt(value: JsonObject, ...path: readonly string[]): string | undefined {
  let found: Json = value
  for (const key of path) found = isJsonObject(found) ? (found[key] ?? null) : null
  return typeof found === 'string' ? found : undefined
}
