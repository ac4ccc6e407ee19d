import { KnownError } from '#core/errors.ts'

/** The file system of the state home has no room: nothing half-written stays. */
export function homeDiskFull(found: { readonly home: string; readonly cause?: unknown }): KnownError {
  return new KnownError({
    code: 'HOME_DISK_FULL',
    kind: 'red',
    message: `The disk of the state home ${found.home} is full; nothing was changed.`,
    hint: `Free some space (\`du -sh ${found.home}/runs ${found.home}/blobs ${found.home}/cache\` shows what is big), then repeat the command.`,
    retry: 'backoff',
    cause: found.cause,
  })
}

export function homeNotWritable(found: { readonly home: string; readonly cause?: unknown }): KnownError {
  return new KnownError({
    code: 'HOME_NOT_WRITABLE',
    kind: 'usage',
    message: `The state home ${found.home} cannot be written by this user.`,
    hint: 'Choose another one with --home DIR or SHIPWAY_HOME, or change its owner.',
    cause: found.cause,
  })
}

/** Whether anything was done in the home cannot be told. `problem`: the system's name for it, `EACCES`. */
export function homeNotReadable(found: {
  readonly home: string
  readonly problem: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'HOME_NOT_READABLE',
    kind: 'usage',
    message: `The state home ${found.home} cannot be read by this user (${found.problem}).`,
    hint: 'Call the command as the owner of the home, or choose another home with --home DIR or SHIPWAY_HOME.',
    cause: found.cause,
  })
}

/** The home's path is too long for a socket, and others may write where the socket would be instead. */
export function socketFolderUnsafe(found: { readonly folder: string }): KnownError {
  return new KnownError({
    code: 'SOCKET_FOLDER_UNSAFE',
    kind: 'usage',
    message: `The folder ${found.folder} belongs to somebody else, or others may write into it: the agent's socket is not safe there.`,
    hint: `Remove the folder, or choose a state home with a shorter path (--home DIR or SHIPWAY_HOME).`,
  })
}

/** A request is bigger than a ticket may be: nothing was handed in. */
export function ticketTooLarge(found: { readonly bytes: number; readonly bytesMax: number }): KnownError {
  return new KnownError({
    code: 'TICKET_TOO_LARGE',
    kind: 'usage',
    message: `The request has ${found.bytes} bytes, and a ticket at most ${found.bytesMax}; nothing was handed in.`,
    hint: 'Make what you hand over smaller: the payload of `--event-file`, or the values of `--input`, `--env` and `--var`.',
  })
}

/** A ticket asks for something that is not there (any more). */
export function subjectNotFound(found: { readonly subject: string }): KnownError {
  return new KnownError({
    code: 'SUBJECT_NOT_FOUND',
    kind: 'usage',
    message: `There is no run or deployment "${found.subject}" in this state home.`,
    hint: '`shipway ps` lists what is there.',
  })
}

/** A run or deployment that is over cannot be cancelled or approved. */
export function subjectFinished(found: { readonly subject: string; readonly conclusion: string }): KnownError {
  return new KnownError({
    code: 'SUBJECT_FINISHED',
    kind: 'refused',
    message: `"${found.subject}" has already ended with "${found.conclusion}".`,
    hint: `\`shipway why ${found.subject}\` tells how.`,
  })
}

/** Nothing in the repository answers to the event. */
export function noWorkflowTriggered(found: {
  readonly event: string
  readonly ref: string
  readonly reasons: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'WORKFLOW_NOT_TRIGGERED',
    kind: 'usage',
    message: `No workflow runs on "${found.event}" of ${found.ref}.`,
    hint: '`shipway plan` shows what would run for an event, and why the others would not.',
    details: found.reasons,
  })
}

/** `named`: somebody asked for just these files or folders. */
export function noWorkflowFiles(found: {
  readonly sha: string
  readonly folders: readonly string[]
  readonly named?: boolean
}): KnownError {
  const list = `git ls-tree -r --name-only ${found.sha.slice(0, 12)} .github .shipway`
  return new KnownError({
    code: 'WORKFLOW_NOT_FOUND',
    kind: 'usage',
    message: `The commit ${found.sha.slice(0, 12)} has no workflow file in ${found.folders.join(' or ')}.`,
    hint: found.named === true ? `\`${list}\` shows which there are.` : '`shipway init` writes one that works.',
  })
}

export function commitUnreadable(found: {
  readonly repository: string
  readonly sha: string
  readonly stderr: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'COMMIT_UNREADABLE',
    kind: 'usage',
    message: `git cannot read the commit ${found.sha} in ${found.repository}: ${found.stderr.trim()}`,
    hint: 'Check that the repository is still there (`git -C … cat-file -t SHA`).',
    cause: found.cause,
  })
}

/** There is one agent per state home, guarded by a lock of the kernel. */
export function agentRunning(found: { readonly home: string }): KnownError {
  return new KnownError({
    code: 'AGENT_RUNNING',
    kind: 'refused',
    message: `Another process is the agent of ${found.home}.`,
    hint: 'It does the work already: `shipway ps` shows it. To run a second agent, give it another home with --home DIR.',
    retry: 'backoff',
  })
}

/** What was handed in did not arrive as it was written: another version of Shipway, or a disk that changes bytes. */
export function ticketQuarantined(fact: { readonly file: string; readonly why: string }): KnownError {
  return new KnownError({
    code: 'TICKET_QUARANTINED',
    kind: 'usage',
    message: `The agent put the request aside instead of working on it: ${fact.why}`,
    hint: `It is kept in ${fact.file}. Call again with the version of Shipway that the agent runs (\`shipway --version\`, \`shipway doctor\`).`,
  })
}
