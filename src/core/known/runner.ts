import { KnownError } from '#core/errors.ts'

/** The job's log cannot be written: the disk is full, or the folder is gone. The job ends, because nobody could read what it does. */
export function logUnwritable(fact: { path: string; cause: unknown }): KnownError {
  return new KnownError({
    code: 'LOG_UNWRITABLE',
    kind: 'red',
    message: `The log ${fact.path} cannot be written: ${textOf(fact.cause)}.`,
    hint: 'Free space on the disk that holds the state home (`shipway doctor`), then run the job again.',
    retry: 'backoff',
    cause: fact.cause,
  })
}

/** A folder or file of the job cannot be made before its first step. */
export function jobFolderUnusable(fact: { path: string; cause: unknown }): KnownError {
  return new KnownError({
    code: 'JOB_FOLDER_UNUSABLE',
    kind: 'red',
    message: `The job's folder ${fact.path} cannot be made: ${textOf(fact.cause)}.`,
    hint: 'Check the free space and the owner of the state home with `shipway doctor`.',
    retry: 'backoff',
    cause: fact.cause,
  })
}

/** The helper process that guards the runner's steps did not start or is gone. */
export function watchdogFailed(fact: { problem: string }): KnownError {
  return new KnownError({
    code: 'WATCHDOG_FAILED',
    kind: 'red',
    message: `The runner's watchdog is not working: ${fact.problem}.`,
    hint: 'It needs `sh` and `mkfifo` on PATH and space in the folder for temporary files.',
    retry: 'backoff',
  })
}

/** `hashFiles` has searched and read for longer than it may. */
export function hashFilesTooSlow(fact: { patterns: string; timeMs: number }): KnownError {
  return new KnownError({
    code: 'HASH_FILES_TOO_SLOW',
    kind: 'red',
    message: `hashFiles(${fact.patterns}) did not end within ${fact.timeMs / 1000} seconds.`,
    hint: 'Narrow the patterns: a leading `**` searches the whole workspace, node_modules and all.',
  })
}

/** What the owner of the machine has set to run around every job is no script that can run. */
export function hookInvalid(fact: { variable: string; path: string; problem: string }): KnownError {
  return new KnownError({
    code: 'HOOK_INVALID',
    kind: 'red',
    message: `The hook ${fact.path} cannot run: ${fact.problem}.`,
    hint: `Correct ${fact.variable} in the environment of the agent on this machine, or unset it.`,
  })
}

/** `shell:` names no known shell, and is no command with `{0}`. */
export function shellInvalid(fact: { shell: string }): KnownError {
  return new KnownError({
    code: 'SHELL_INVALID',
    kind: 'usage',
    message: `The shell "${fact.shell}" is not known and has no {0} for the script's path.`,
    hint: 'Use bash, sh, python, pwsh, or a command such as `perl {0}`.',
  })
}

/** The program of a shell is not on PATH. */
export function shellNotFound(fact: { program: string; path: string }): KnownError {
  return new KnownError({
    code: 'SHELL_NOT_FOUND',
    kind: 'usage',
    message: `The shell's program "${fact.program}" was not found on PATH (${fact.path}).`,
    hint: 'Install it on this machine, or use another `shell:`.',
  })
}

/** `working-directory` does not exist when its step starts. */
export function workingDirectoryMissing(fact: { path: string }): KnownError {
  return new KnownError({
    code: 'WORKING_DIRECTORY_MISSING',
    kind: 'usage',
    message: `The working directory ${fact.path} does not exist.`,
    hint: 'It is relative to the workspace, which is empty until `uses: actions/checkout@v4` has run.',
  })
}

/** The operating system did not start a program. */
export function programNotStarted(fact: { program: string; cause: unknown }): KnownError {
  return new KnownError({
    code: 'PROGRAM_NOT_STARTED',
    kind: 'red',
    message: `The program ${fact.program} did not start: ${textOf(fact.cause)}.`,
    hint: notStartedHints[codeOf(fact.cause)] ?? 'Check that it is there for the user of the agent, and may be run.',
    cause: fact.cause,
  })
}

/** What helps, by the code of the operating system. */
const notStartedHints: Readonly<Record<string, string>> = {
  E2BIG: 'An argument or a variable is longer than this machine takes (often 128 KiB): write the value into a file.',
  EACCES: 'It, or a folder above it, may not be run by the user of the agent: `chmod +x` gives a file the right.',
  EAGAIN: 'There are too many processes: `ulimit -u` shows the limit of the agent.',
  ENOMEM: 'The machine has no memory left for it: fewer jobs at once (`--jobs`) need less.',
}

function codeOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
}

/** A value of a step has a type that its place does not take. */
export function stepValueInvalid(fact: { place: string; expected: string; found: string }): KnownError {
  return new KnownError({
    code: 'STEP_VALUE_INVALID',
    kind: 'usage',
    message: `${fact.place} must be ${fact.expected}, but its value is "${fact.found}".`,
  })
}

/** `uses:` names an action that this version cannot run. */
export function actionUnavailable(fact: { uses: string; why: string; builtIn: readonly string[] }): KnownError {
  return new KnownError({
    code: 'ACTION_UNAVAILABLE',
    kind: 'usage',
    message: `The action "${fact.uses}" cannot be run: ${fact.why}.`,
    hint: `Built in are ${fact.builtIn.join(', ')}; local composite actions (./path) work too.`,
  })
}

/** A local action has no readable `action.yml`. */
export function actionMissing(fact: { uses: string; folder: string }): KnownError {
  return new KnownError({
    code: 'ACTION_MISSING',
    kind: 'usage',
    message: `Can't find 'action.yml' or 'action.yaml' under '${fact.folder}' for "${fact.uses}".`,
    hint: 'Local actions are read from the workspace: did `uses: actions/checkout@v4` run before?',
  })
}

/** `action.yml` is there and wrong. */
export function actionInvalid(fact: { uses: string; problems: readonly string[] }): KnownError {
  return new KnownError({
    code: 'ACTION_INVALID',
    kind: 'usage',
    message: `The action "${fact.uses}" cannot be used: ${(fact.problems[0] ?? 'its file is not valid').replace(/\.$/, '')}.`,
    details: fact.problems,
  })
}

/** Composite actions call each other deeper than GitHub allows. */
export function actionTooDeep(fact: { uses: string; depthMax: number }): KnownError {
  return new KnownError({
    code: 'ACTION_TOO_DEEP',
    kind: 'usage',
    message: `The action "${fact.uses}" is nested deeper than ${fact.depthMax} levels.`,
    hint: 'Does it call itself?',
  })
}

/** An input of a built-in action has a value that it does not take. */
export function actionInputInvalid(fact: {
  action: string
  input: string
  value: string
  expected: string
}): KnownError {
  return new KnownError({
    code: 'ACTION_INPUT_INVALID',
    kind: 'usage',
    message: `${fact.action}: the input "${fact.input}" is "${fact.value}", but must be ${fact.expected}.`,
  })
}

/** An input of a built-in action asks for something that it does not do. */
export function actionInputUnsupported(fact: {
  action: string
  input: string
  value: string
  instead: string
}): KnownError {
  return new KnownError({
    code: 'ACTION_INPUT_UNSUPPORTED',
    kind: 'usage',
    message: `${fact.action}: "${fact.input}: ${fact.value}" is not supported.`,
    hint: fact.instead,
  })
}

/** A path that a step gave leads out of the folder that it must stay in. */
export function pathEscapes(fact: { path: string; root: string }): KnownError {
  return new KnownError({
    code: 'PATH_ESCAPES',
    kind: 'refused',
    message: `The path "${fact.path}" leads out of ${fact.root}.`,
  })
}

/** The commit or ref is not in the repository that the run was started from. */
export function checkoutFailed(fact: { ref: string; repository: string; output: readonly string[] }): KnownError {
  return new KnownError({
    code: 'CHECKOUT_FAILED',
    kind: 'red',
    message: `"${fact.ref}" cannot be checked out from ${fact.repository}.`,
    hint: `Look at it with \`git -C ${fact.repository} log --oneline -1 ${fact.ref}\`.`,
    details: fact.output,
  })
}

/** An artifact's name is empty or holds a character that is not a file name's on every system. */
export function artifactNameInvalid(fact: { name: string }): KnownError {
  return new KnownError({
    code: 'ARTIFACT_NAME_INVALID',
    kind: 'usage',
    message: `The artifact name "${fact.name}" is empty, too long, or holds one of " : < > | * ? / \\ or a line end.`,
  })
}

/** The run has an artifact of this name already. */
export function artifactExists(fact: { name: string }): KnownError {
  return new KnownError({
    code: 'ARTIFACT_EXISTS',
    kind: 'refused',
    message: `An artifact named "${fact.name}" already exists in this run.`,
    hint: 'Use another name in each job (a matrix needs its values in the name), or `overwrite: true`.',
  })
}

/** Nobody uploaded an artifact of this name in this run. */
export function artifactNotFound(fact: { name: string; known: readonly string[] }): KnownError {
  const known = fact.known.length === 0 ? 'none' : fact.known.join(', ')
  return new KnownError({
    code: 'ARTIFACT_NOT_FOUND',
    kind: 'red',
    message: `No artifact named "${fact.name}" was uploaded in this run (artifacts: ${known}).`,
    hint: 'The job that uploads it must be in `needs:` of this one.',
  })
}

/** None of the wanted ids is an artifact of the run. */
export function artifactIdsNotFound(fact: { ids: readonly string[]; known: readonly string[] }): KnownError {
  const known = fact.known.length === 0 ? 'none' : fact.known.join(', ')
  return new KnownError({
    code: 'ARTIFACT_IDS_NOT_FOUND',
    kind: 'red',
    message: `No artifact has the id ${fact.ids.join(' or ')} (artifacts: ${known}).`,
    hint: 'An id is the output `artifact-id` of the step that uploads; it changes with the contents.',
  })
}

/** No artifact of the run fits the pattern of those to merge. */
export function artifactsUnmatched(fact: { pattern: string }): KnownError {
  return new KnownError({
    code: 'ARTIFACTS_UNMATCHED',
    kind: 'red',
    message: `No artifacts were found with the provided pattern: ${fact.pattern}.`,
  })
}

/** Another run is named whose files are not in this state home. */
export function artifactRunUnknown(fact: { run: string }): KnownError {
  return new KnownError({
    code: 'ARTIFACT_RUN_UNKNOWN',
    kind: 'usage',
    message: `No run "${fact.run.slice(0, 100)}" of this repository has left artifacts in this state home.`,
    hint: 'See `shipway ps --all` for the runs that there are.',
  })
}

/** Git does not get a submodule; what it said is in the log. */
export function submoduleUnreachable(fact: { path: string; url: string; commit: string }): KnownError {
  return new KnownError({
    code: 'SUBMODULE_UNREACHABLE',
    kind: 'red',
    message: `The submodule ${fact.path} cannot be had at ${fact.commit} from ${fact.url}: git failed, see above.`,
    hint: 'Run `git submodule update --init --recursive` in the repository: its own clone is used from then on. A folder of this machine is followed when its url is relative, or `git config --global protocol.file.allow always` says so.',
  })
}

/** Nothing matches the paths of an upload. */
export function artifactEmpty(fact: { paths: readonly string[] }): KnownError {
  return new KnownError({
    code: 'ARTIFACT_EMPTY',
    kind: 'red',
    message: `No files were found with the provided path: ${fact.paths.join(', ')}. No artifacts will be uploaded.`,
    hint: 'Paths are relative to the workspace; `if-no-files-found: warn` lets the step pass.',
  })
}

/** Contents or manifest of an artifact are not what was uploaded. */
export function artifactDamaged(fact: { name: string; problem: string }): KnownError {
  return new KnownError({
    code: 'ARTIFACT_DAMAGED',
    kind: 'red',
    message: `The artifact "${fact.name}" is damaged: ${fact.problem}.`,
    hint: 'Run the job that uploads it again.',
  })
}

/** An artifact has more files than a run may keep. */
export function artifactTooLarge(fact: { name: string; found: number; filesMax: number }): KnownError {
  return new KnownError({
    code: 'ARTIFACT_TOO_LARGE',
    kind: 'refused',
    message: `The artifact "${fact.name}" has more than ${fact.filesMax} files (${fact.found}).`,
    hint: 'Pack them into one archive first, or name fewer paths.',
  })
}

/** A step wrote more into its summary than a summary may hold. */
export function summaryTooLarge(fact: { bytes: number; bytesMax: number }): KnownError {
  return new KnownError({
    code: 'SUMMARY_TOO_LARGE',
    kind: 'refused',
    message: `$GITHUB_STEP_SUMMARY supports content up to a size of ${fact.bytesMax / 1024}k, but got ${Math.ceil(fact.bytes / 1024)}k.`,
  })
}

/** A file command's file is larger than the runner reads. */
export function fileCommandTooLarge(fact: { name: string; bytes: number; bytesMax: number }): KnownError {
  return new KnownError({
    code: 'FILE_COMMAND_TOO_LARGE',
    kind: 'refused',
    message: `The file of ${fact.name} has ${fact.bytes} bytes; the limit is ${fact.bytesMax}.`,
  })
}

/** A file command's file cannot be understood. */
export function fileCommandInvalid(fact: { name: string; reason: string }): KnownError {
  return new KnownError({
    code: 'FILE_COMMAND_INVALID',
    kind: 'usage',
    message: `Unable to process file command '${fact.name}' successfully: ${fact.reason}`,
    hint:
      fact.name === 'GITHUB_ARTIFACTS'
        ? 'Write one artifact per line: the path of a file, or NAME@sha256:… of an image.'
        : 'Write NAME=value, or a block NAME<<DELIMITER … DELIMITER.',
  })
}

/** The order for a job is for another version of the protocol. */
export function messageInvalid(fact: { line: string }): KnownError {
  return new KnownError({
    code: 'RUNNER_MESSAGE_INVALID',
    kind: 'usage',
    message: `The runner got a line that is no message: ${fact.line.slice(0, 80)}`,
  })
}

function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
