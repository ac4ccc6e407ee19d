import { KnownError } from '../errors.ts'
import { shellWord } from '../shell-word.ts'

/** `.shipway/actions.lock` cannot be read. */
export function actionLockInvalid(fact: { file: string; problem: string }): KnownError {
  return new KnownError({
    code: 'ACTION_LOCK_INVALID',
    kind: 'usage',
    message: `${fact.file} cannot be used: ${fact.problem}.`,
    hint: 'Restore it from git, or write it again with `shipway actions update`.',
  })
}

/** A job uses more actions than a job may. */
export function actionsTooMany(fact: { uses: string; actionsMax: number }): KnownError {
  return new KnownError({
    code: 'ACTIONS_TOO_MANY',
    kind: 'refused',
    message: `The job uses more than ${fact.actionsMax} different actions, counting "${fact.uses}".`,
    hint: 'Do composite actions call each other in a circle with changing refs? Split the job otherwise.',
  })
}

/** The agent answered a request for an action with something else: it is of another version than the runner. */
export function actionReplyInvalid(fact: { uses: string }): KnownError {
  return new KnownError({
    code: 'ACTION_REPLY_INVALID',
    kind: 'red',
    message: `The agent's answer for the action "${fact.uses}" cannot be read.`,
    hint: 'Agent and runner must be of the same version: start the agent again.',
  })
}

/** An action asks for a Node that its runner does not have. */
export function actionNodeUnknown(fact: { uses: string; using: string }): KnownError {
  return new KnownError({
    code: 'ACTION_NODE_UNKNOWN',
    kind: 'usage',
    message: `The action "${fact.uses}" asks for "${fact.using}", which is not one of node12, node16, node20, node24.`,
    hint: 'All of them run on Node 24. Correct `runs.using` in its action.yml.',
  })
}

/** A script that `action.yml` names is not in its repository. */
export function actionFileMissing(fact: { uses: string; file: string; folder: string }): KnownError {
  return new KnownError({
    code: 'ACTION_FILE_MISSING',
    kind: 'usage',
    message: `The action "${fact.uses}" names "${fact.file}", which is not in ${fact.folder}.`,
    hint: 'Is it built (dist/) and committed?',
  })
}

/** Another process has worked on the store of actions for longer than anybody waits. */
export function actionStoreBusy(fact: { path: string }): KnownError {
  return new KnownError({
    code: 'ACTION_STORE_BUSY',
    kind: 'red',
    message: `Another process has been working on ${fact.path} for ten minutes.`,
    hint: 'Look for a git process that hangs; the lock goes with its process.',
    retry: 'backoff',
  })
}

/** A repository is larger than the store takes. */
export function actionTooLarge(fact: { repository: string; limit: string }): KnownError {
  return new KnownError({
    code: 'ACTION_TOO_LARGE',
    kind: 'refused',
    message: `The repository ${fact.repository} is larger than the store of actions takes (${fact.limit}).`,
    hint: 'Is it an action? Publish the action in a repository of its own.',
  })
}

/** An action is not on this machine and cannot be had. */
export function actionNotStored(fact: { name: string; url: string | undefined; problem: string }): KnownError {
  const from = fact.url === undefined ? '' : ` and cannot be fetched from ${fact.url}`
  return new KnownError({
    code: 'ACTION_NOT_STORED',
    kind: 'unreachable',
    message: `"${fact.name}" is not in the store of actions${from}: ${lastWord(fact.problem)}.`,
    hint: `Put it there once with \`shipway actions add <git-url-or-folder> ${fact.name}\`, or name a reachable base url (actions.url in shipway.yml, SHIPWAY_ACTIONS_URL).`,
    details: fact.problem.split('\n'),
    retry: 'backoff',
  })
}

/** A ref that was taken from a folder of this machine: nobody but that folder knows what it stands for now. */
export function actionFromFolder(fact: {
  readonly name: string
  /** Unknown for what an earlier version of Shipway has stored. */
  readonly folder: string | undefined
  readonly storedAt: string
}): KnownError {
  const folder = fact.folder ?? 'FOLDER'
  return new KnownError({
    code: 'ACTION_FROM_FOLDER',
    kind: 'usage',
    message: `"${fact.name}" was added from ${fact.folder === undefined ? 'a folder of this machine' : `the folder ${folder}`} (${fact.storedAt}), so no other place is asked for it.`,
    hint: `Take what the folder holds now: \`shipway actions add ${shellWord(folder)} ${fact.name}\`. To have it fetched from its address instead, remove it first: \`shipway actions remove ${fact.name}\`.`,
  })
}

/** A repository has neither branch nor tag of this name. */
export function actionRefUnknown(fact: {
  name: string
  ref: string
  url: string
  known: readonly string[]
}): KnownError {
  const known = fact.known.length === 0 ? 'none' : fact.known.slice(0, 20).join(', ')
  return new KnownError({
    code: 'ACTION_REF_UNKNOWN',
    kind: 'usage',
    message: `"${fact.name}": there is no branch, tag or commit "${fact.ref}" in ${fact.url} (there are: ${known}).`,
    hint: 'Correct the part after @.',
  })
}

/** A ref stands for another commit than the project has accepted. */
export function actionRefMoved(fact: { name: string; pinned: string; found: string; url: string }): KnownError {
  return new KnownError({
    code: 'ACTION_REF_MOVED',
    kind: 'refused',
    message: `"${fact.name}" was ${fact.pinned} when it was accepted, and is ${fact.found} at ${fact.url} now.`,
    hint: `Read what has changed; then accept it with \`shipway actions update ${fact.name}\` and commit .shipway/actions.lock.`,
  })
}

/** The repository of an action in the store is broken. */
export function actionStoreDamaged(fact: { repository: string; problem: string; cause?: unknown }): KnownError {
  return new KnownError({
    code: 'ACTION_STORE_DAMAGED',
    kind: 'red',
    message: `The stored repository ${fact.repository} cannot be used: ${fact.problem}.`,
    hint: `Remove it with \`shipway actions remove ${fact.repository}\` and add it again.`,
    cause: fact.cause,
  })
}

/** What `actions add` was given is neither a folder nor a git url that may be used. */
export function actionSourceInvalid(fact: { source: string; problem: string }): KnownError {
  return new KnownError({
    code: 'ACTION_SOURCE_INVALID',
    kind: 'usage',
    message: `"${fact.source}" cannot be added: ${fact.problem}.`,
    hint: 'Give a folder, or a url that starts with https://, http://, ssh://, git:// or file://.',
  })
}

/** What git itself gives as its reason, without the advice around it. */
function lastWord(problem: string): string {
  const lines = problem.split('\n').map((line) => line.trim())
  const chosen = lines.find((line) => line.startsWith('fatal:')) ?? lines.at(-1) ?? ''
  return chosen.replace(/^fatal: /, '').replace(/\.$/, '')
}

/** A name on the command line is not that of an action. */
export function actionNameInvalid(fact: { name: string }): KnownError {
  return new KnownError({
    code: 'ACTION_NAME_INVALID',
    kind: 'usage',
    message: `"${fact.name}" is no name of an action.`,
    hint: 'Write owner/repo@ref with a branch, a tag or a whole commit id: acme/setup@v1. Shortened commit ids are refused.',
  })
}
