import { KnownError } from '#core/errors.ts'

/** The first word is no command. */
export function commandUnknown(fact: { readonly name: string; readonly nearest?: string }): KnownError {
  return new KnownError({
    code: 'COMMAND_UNKNOWN',
    kind: 'usage',
    message: `There is no command "${fact.name}".`,
    hint:
      fact.nearest === undefined
        ? '`shipway help` lists them.'
        : `Did you mean \`shipway ${fact.nearest}\`? \`shipway help\` lists all commands.`,
  })
}

/** `shipway release` alone, or with a word that it does not know. */
export function secondWordUnknown(fact: {
  readonly command: string
  readonly word: string | undefined
  readonly names: readonly string[]
  readonly nearest: string | undefined
}): KnownError {
  const choice = fact.names.map((name) => `\`shipway ${fact.command} ${name}\``).join(' or ')
  return new KnownError({
    code: 'SUBCOMMAND_UNKNOWN',
    kind: 'usage',
    message:
      fact.word === undefined
        ? `"shipway ${fact.command}" needs a second word.`
        : `There is no command "shipway ${fact.command} ${fact.word}".`,
    hint: fact.nearest === undefined ? `It is ${choice}.` : `Did you mean \`shipway ${fact.command} ${fact.nearest}\`?`,
  })
}

/** A flag or an argument is unknown, missing or has a value that it cannot have. */
export function callInvalid(fact: { readonly problem: string; readonly usage: string }): KnownError {
  const [what = '', ...why] = fact.problem.replace(/^error: /, '').split('\n')
  const sentence = what.charAt(0).toUpperCase() + what.slice(1)
  return new KnownError({
    code: 'CALL_INVALID',
    kind: 'usage',
    message: /[.?!]$/.test(sentence) ? sentence : `${sentence}.`,
    hint: `See \`${fact.usage}\`.`,
    details: why.map((line) => line.replace(/^\(|\)$/g, '')).filter((line) => line !== ''),
  })
}

/** A flag whose value has a form: `--input key=value`. */
export function flagInvalid(fact: {
  readonly flag: string
  readonly value: string
  readonly expected: string
}): KnownError {
  return new KnownError({
    code: 'FLAG_INVALID',
    kind: 'usage',
    message: `${fact.flag} takes ${fact.expected}, not "${fact.value}".`,
  })
}

/** A secret that is to come from the environment is not there. */
export function secretNotInEnvironment(fact: { readonly name: string }): KnownError {
  return new KnownError({
    code: 'SECRET_MISSING',
    kind: 'usage',
    message: `--secret ${fact.name} takes the value from the environment variable ${fact.name}, which is not set.`,
    hint: `Export ${fact.name}, or put \`${fact.name}=…\` into a file with mode 0600 and pass --secret-file FILE.`,
  })
}

/** A file that a flag names. */
export function fileUnreadable(fact: {
  readonly flag: string
  readonly path: string
  readonly problem: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'FILE_UNREADABLE',
    kind: 'usage',
    message: `${fact.flag} ${fact.path} cannot be read: ${fact.problem}.`,
    cause: fact.cause,
  })
}

/** There is no `git` on PATH. */
export function gitMissing(fact: { readonly cause?: unknown }): KnownError {
  return new KnownError({
    code: 'GIT_MISSING',
    kind: 'usage',
    message: 'Shipway needs `git`, and there is none on PATH.',
    hint: "Install it with the system's package manager, for example `apt-get install git`.",
    cause: fact.cause,
  })
}

/** The folder is not inside a git repository. */
export function repositoryNotFound(fact: { readonly directory: string; readonly cause?: unknown }): KnownError {
  return new KnownError({
    code: 'REPOSITORY_NOT_FOUND',
    kind: 'usage',
    message: `${fact.directory} is not inside a git repository.`,
    hint: `Go into one, name one with -C DIR, or make one: \`git -C ${fact.directory} init && git add -A && git commit -m first\`.`,
    cause: fact.cause,
  })
}

/** A repository without a commit: there is nothing to run or to release. */
export function repositoryEmpty(fact: { readonly root: string }): KnownError {
  return new KnownError({
    code: 'REPOSITORY_EMPTY',
    kind: 'usage',
    message: `The repository ${fact.root} has no commit yet.`,
    hint: 'Make the first one: `git add -A && git commit -m "first"`.',
  })
}

/** `--ref` names nothing that git knows. */
export function refNotFound(fact: { readonly ref: string; readonly root: string }): KnownError {
  return new KnownError({
    code: 'REF_NOT_FOUND',
    kind: 'usage',
    message: `git knows no branch, tag or commit "${fact.ref}" in ${fact.root}.`,
    hint: '`git branch --all` and `git tag` list what there is.',
  })
}

/** One or more files that a user wrote are wrong; all their diagnostics are in the details. */
export function filesInvalid(fact: {
  readonly files: readonly string[]
  readonly errors: number
  readonly details: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'FILES_INVALID',
    kind: 'usage',
    message: `${fact.files.join(', ')} ${fact.files.length === 1 ? 'has' : 'have'} ${fact.errors} ${fact.errors === 1 ? 'mistake' : 'mistakes'}.`,
    details: fact.details,
    hint: 'Correct the marked places; `shipway lint` shows them again.',
  })
}

/** `shipway init` does not overwrite what it did not write. */
export function filesExist(fact: { readonly files: readonly string[] }): KnownError {
  return new KnownError({
    code: 'FILES_EXIST',
    kind: 'usage',
    message: `${fact.files.join(' and ')} ${fact.files.length === 1 ? 'is' : 'are'} there already; nothing was changed.`,
    hint: '`shipway init --dry-run` shows what would be written; --force replaces the files.',
  })
}

/** Nothing has run in this state home, so there is nothing to look at or to act on. */
export function homeEmpty(fact: { readonly home: string }): KnownError {
  return new KnownError({
    code: 'HOME_EMPTY',
    kind: 'usage',
    message: `Nothing has run in the state home ${fact.home} yet.`,
    hint: 'Start with `shipway run`, or name another home with --home DIR or SHIPWAY_HOME.',
  })
}

/** An id, number, prefix or name that fits no run, deployment, release or environment. */
export function subjectUnknown(fact: {
  readonly text: string
  readonly looked: string
  readonly nearest?: string
}): KnownError {
  return new KnownError({
    code: 'SUBJECT_UNKNOWN',
    kind: 'usage',
    message: `"${fact.text}" is no ${fact.looked} in this state home.`,
    hint: `${fact.nearest === undefined ? '' : `Did you mean "${fact.nearest}"? `}\`shipway ps --all\`, \`shipway release list\` and \`shipway env list\` show what is there.`,
  })
}

/** `latest` in a repository whose application has no run. */
export function latestMissing(fact: { readonly application: string }): KnownError {
  return new KnownError({
    code: 'LATEST_MISSING',
    kind: 'usage',
    message: `The application "${fact.application}", in whose repository this is called, has no run in this state home.`,
    hint: '`shipway run` makes one. `shipway ps --all` shows the runs of all applications; name one of them by its id.',
  })
}

/** A prefix or number that fits several. */
export function subjectAmbiguous(fact: {
  readonly text: string
  /** Each as it may be typed, then what it is: `dep_01jd (v1.4.2 → staging)`. */
  readonly candidates: readonly string[]
}): KnownError {
  const [first = ''] = fact.candidates
  const [example = ''] = first.split(' ')
  return new KnownError({
    code: 'SUBJECT_AMBIGUOUS',
    kind: 'usage',
    message: `"${fact.text}" fits ${fact.candidates.length} things: ${fact.candidates.slice(0, 5).join(', ')}${fact.candidates.length > 5 ? ' …' : ''}.`,
    hint: `Say which: \`${example}\` is one of them; --app NAME leaves out those of other applications.`,
  })
}

/** No environment of that name. */
export function environmentUnknown(fact: {
  readonly environment: string
  readonly known: readonly string[]
  readonly nearest?: string
}): KnownError {
  const known = fact.known.length === 0 ? 'there is none' : `environments: ${fact.known.join(', ')}`
  return new KnownError({
    code: 'ENVIRONMENT_UNKNOWN',
    kind: 'usage',
    message: `There is no environment "${fact.environment}" (${known}).`,
    hint: `${fact.nearest === undefined ? '' : `Did you mean "${fact.nearest}"? `}Environments are defined in shipway.yml; \`shipway env list\` shows them.`,
  })
}

/** No release of that version or id. */
export function releaseUnknown(fact: {
  readonly release: string
  readonly application: string
  readonly nearest?: string
}): KnownError {
  return new KnownError({
    code: 'RELEASE_UNKNOWN',
    kind: 'usage',
    message: `${fact.application} has no release "${fact.release}".`,
    hint: `${fact.nearest === undefined ? '' : `Did you mean "${fact.nearest}"? `}\`shipway release list\` shows all; a green \`shipway run\` seals one.`,
  })
}

/** Several applications live in the home, and the call does not say which one is meant. */
export function applicationAmbiguous(fact: { readonly known: readonly string[] }): KnownError {
  return new KnownError({
    code: 'APPLICATION_AMBIGUOUS',
    kind: 'usage',
    message: `This state home holds ${fact.known.length} applications: ${fact.known.join(', ')}.`,
    hint: 'Say which one with --app NAME, or go into its repository.',
  })
}

/** `logs --attempt` names an attempt that the run never had. */
export function attemptUnknown(found: {
  readonly run: string
  readonly attempt: number
  readonly latest: number
}): KnownError {
  return new KnownError({
    code: 'ATTEMPT_UNKNOWN',
    kind: 'usage',
    message: `The run ${found.run} has no attempt ${found.attempt}: its latest is attempt ${found.latest}.`,
    hint: `\`shipway logs ${found.run}\` shows the latest.`,
  })
}

/** A job or step name that the run does not have. */
export function jobUnknown(fact: {
  readonly run: string
  readonly job: string
  readonly known: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'JOB_UNKNOWN',
    kind: 'usage',
    message: `${fact.run} has no job or step "${fact.job}" (${fact.known.join(', ')}).`,
  })
}

/** A question must be answered, and nobody can be asked. */
export function confirmationNeeded(fact: { readonly question: string; readonly flag: string }): KnownError {
  return new KnownError({
    code: 'CONFIRMATION_NEEDED',
    kind: 'usage',
    message: `"${fact.question}?" needs an answer, and standard input is not a terminal.`,
    hint: `Add ${fact.flag} to the call.`,
  })
}

/** The person who was asked said no. */
export function confirmationDeclined(): KnownError {
  return new KnownError({ code: 'CONFIRMATION_DECLINED', kind: 'refused', message: 'Nothing was done, as you wished.' })
}

/** Nothing waits for a decision on that run, deployment or environment. */
export function nothingWaits(fact: { readonly subject: string }): KnownError {
  return new KnownError({
    code: 'NOTHING_WAITS',
    kind: 'usage',
    message: `Nothing in ${fact.subject} waits for a decision.`,
    hint: '`shipway ps` shows what waits, `shipway why SUBJECT` for what.',
  })
}

/** `shipway completion` knows three shells. */
export function shellUnknown(fact: { readonly shell: string; readonly known: readonly string[] }): KnownError {
  return new KnownError({
    code: 'SHELL_UNKNOWN',
    kind: 'usage',
    message: `There is no completion for the shell "${fact.shell}" (${fact.known.join(', ')}).`,
  })
}

/** What was printed did not reach its place: a full disk behind a redirection, a terminal that is gone. */
export function outputLost(found: { readonly problem: string; readonly cause: unknown }): KnownError {
  return new KnownError({
    code: 'OUTPUT_LOST',
    kind: 'red',
    message: `What the command printed could not be written: ${found.problem}.`,
    hint: 'Make room where standard output goes, or send it elsewhere, then look again: what the command did stays done.',
    cause: found.cause,
  })
}

/** A step of a run says yes: an approval is the word of a person. */
export function approvalByRun(fact: { readonly run: string }): KnownError {
  return new KnownError({
    code: 'APPROVAL_BY_RUN',
    kind: 'refused',
    message: `This is a step of the run ${fact.run}, and an approval is the word of a person: a run cannot give it.`,
    hint: 'Call `shipway approve` outside the run; `approvals` in shipway.yml says how many are needed.',
  })
}

/** Two flags that each say something else. */
export function flagsExclusive(found: { readonly flags: readonly string[] }): KnownError {
  return new KnownError({
    code: 'FLAGS_EXCLUSIVE',
    kind: 'usage',
    message: `${found.flags.join(' and ')} cannot stand together.`,
    hint: 'Leave all but one of them out.',
  })
}

/** A deployment is asked for anew, not run again. */
export function rerunOfDeployment(found: { readonly subject: string }): KnownError {
  return new KnownError({
    code: 'RERUN_OF_DEPLOYMENT',
    kind: 'usage',
    message: `${found.subject} is a deployment; only runs are run again.`,
    hint: '`shipway deploy ENVIRONMENT --release VERSION` asks for it anew.',
  })
}

/** `--shell-on-failure` where nobody could type. */
export function shellWithoutTerminal(): KnownError {
  return new KnownError({
    code: 'SHELL_WITHOUT_TERMINAL',
    kind: 'usage',
    message:
      '--shell-on-failure opens a shell on the terminal, and there is none: input or output is a pipe or a file.',
    hint: 'Call it from a terminal, or leave --shell-on-failure out.',
  })
}

/** The repository here does not have the commit of a release. */
export function releaseCommitUnknown(fact: {
  readonly version: string
  readonly sha: string
  readonly directory: string
}): KnownError {
  return new KnownError({
    code: 'RELEASE_COMMIT_UNKNOWN',
    kind: 'usage',
    message: `The repository ${fact.directory} does not have the commits of ${fact.version} (${fact.sha.slice(0, 12)}).`,
    hint: 'Call it in the repository that the release was built from (-C), after `git fetch`.',
  })
}

/** There is no writing where a release is to go. */
export function exportUnwritable(fact: {
  readonly file: string
  readonly problem: string
  readonly cause?: unknown
}): KnownError {
  return new KnownError({
    code: 'EXPORT_UNWRITABLE',
    kind: 'usage',
    message: `${fact.file} cannot be written: ${fact.problem}.`,
    hint: 'Name a file in a folder that is there and has room with -o.',
    cause: fact.cause,
  })
}

/** A file that would be overwritten. */
export function exportTargetTaken(fact: { readonly file: string }): KnownError {
  return new KnownError({
    code: 'EXPORT_TARGET_TAKEN',
    kind: 'usage',
    message: `${fact.file} is there already.`,
    hint: 'Name another file with -o, or replace it with --force.',
  })
}
