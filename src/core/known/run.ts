import { KnownError } from '#core/errors.ts'
import type { Reason } from '#core/reason.ts'

/** Workflow files with mistakes; `details` holds the drawn diagnostics of all of them. */
export function workflowInvalid(found: {
  readonly files: readonly string[]
  readonly details: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'WORKFLOW_INVALID',
    kind: 'usage',
    message: `${found.files.length === 1 ? `${found.files[0]} is` : `${found.files.join(', ')} are`} not valid.`,
    hint: 'Mend what is marked, then check with `shipway lint`.',
    details: found.details,
  })
}

/** A run that would fail at a job for want of a secret, however much it had done until then: nothing of it is started. */
export function runSecretsMissing(found: {
  readonly application: string
  /** What asks for secrets, and which of them nobody has given. */
  readonly missing: readonly {
    readonly names: readonly string[]
    readonly environment?: string
    readonly job?: string
  }[]
}): KnownError {
  const names = [...new Set(found.missing.flatMap((one) => one.names))]
  const places = found.missing.flatMap(({ environment }) => environment ?? [])
  const files = [...new Set(places)].map((name) => `secrets/${found.application}/${name}.json`)
  const keep =
    files.length === 0 ? '' : `Keep them in the home in ${files.join(', ')} (mode 0600, {"NAME": "value"}), or give`
  const [first = 'NAME'] = names
  return new KnownError({
    code: 'RUN_SECRETS_MISSING',
    kind: 'refused',
    message: `The run would fail for want of the ${names.length === 1 ? 'secret' : 'secrets'} ${names.join(', ')}, so nothing of it was started.`,
    hint: `${keep === '' ? 'Give' : keep} them to the run: \`shipway run --secret ${first}\` takes one from the environment. \`--job JOB\` runs only what needs none. "environments.NAME.secrets" in shipway.yml says which an environment needs.`,
    details: found.missing.map(({ names: wanted, environment, job }) => {
      const by = job === undefined ? '' : ` (job ${job})`
      return `${environment ?? 'a called workflow'}${by} needs ${wanted.join(', ')}`
    }),
  })
}

/** `--job` names a job that the workflow does not have. */
export function jobNotFound(found: {
  readonly job: string
  readonly workflow: string
  readonly known: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'JOB_NOT_FOUND',
    kind: 'usage',
    message: `Workflow "${found.workflow}" has no job "${found.job}" (jobs: ${found.known.join(', ')}).`,
    hint: '`shipway plan` lists the jobs that would run.',
  })
}

/** Only a run that has ended can be run again. */
export function runNotFinished(found: { readonly run: string; readonly state: string }): KnownError {
  return new KnownError({
    code: 'RUN_NOT_FINISHED',
    kind: 'refused',
    message: `The run ${found.run} is ${found.state}: it can be run again when it has ended.`,
    hint: `\`shipway cancel ${found.run}\` ends it, \`shipway logs -f ${found.run}\` waits for its end.`,
  })
}

/** `rerun --failed` of a run in which nothing failed. */
export function rerunNothingFailed(found: { readonly run: string; readonly conclusion: string }): KnownError {
  return new KnownError({
    code: 'RERUN_NOTHING_FAILED',
    kind: 'usage',
    message: `No job of the run ${found.run} failed (it ended with "${found.conclusion}").`,
    hint: `\`shipway rerun ${found.run}\` runs all of it again, \`--job ID\` one job and what needs it.`,
  })
}

/** The values of secrets are removed when a run has ended: a new attempt needs them again. */
export function rerunSecretsMissing(found: { readonly run: string; readonly names: readonly string[] }): KnownError {
  return new KnownError({
    code: 'RERUN_SECRETS_MISSING',
    kind: 'usage',
    message: `The run ${found.run} had the secrets ${found.names.join(', ')}; their values were removed when it ended.`,
    hint: `Give them again: ${found.names.map((name) => `--secret ${name}`).join(' ')} (values from the environment), or --secret-file FILE.`,
  })
}

/** `rerun --from-step` of a job whose folder is gone: it did not fail, or others have failed since. */
export function rerunWorkGone(found: {
  readonly run: string
  readonly job: string
  readonly legs: readonly string[]
}): KnownError {
  const several = found.legs.length > 1
  return new KnownError({
    code: 'RERUN_WORK_GONE',
    kind: 'usage',
    message: several
      ? `"${found.job}" has several legs: ${found.legs.join(', ')}.`
      : `The workspace of "${found.job}" in the run ${found.run} is gone: only that of a job that failed is kept, for the last three runs that failed.`,
    hint: several ? 'Name one of them.' : `\`shipway rerun ${found.run} --job ${found.job}\` runs the whole job again.`,
  })
}

/** `rerun --from-step` names a step that the job has not reached, or does not have. */
export function rerunStepUnknown(found: {
  readonly job: string
  readonly step: string
  readonly known: readonly string[]
}): KnownError {
  return new KnownError({
    code: 'RERUN_STEP_UNKNOWN',
    kind: 'usage',
    message: `The job "${found.job}" has not come to a step "${found.step}" (steps: ${found.known.join(', ')}).`,
    hint: 'A step is named by its id, its number from 1, or its name.',
  })
}

/** A step asks for a deployment of a run that has nothing to deploy. */
export function releaseNothingToSeal(found: { readonly run: string }): KnownError {
  return new KnownError({
    code: 'RELEASE_NOTHING_TO_SEAL',
    kind: 'usage',
    message: `The run ${found.run} has nothing to seal: its commit has no shipway.yml.`,
    hint: '`shipway init` writes one; `release.artifact` names what a job uploaded, `release.files` names files of the commit.',
  })
}

/** A deployment that a step waited for did not end well. */
export function deploymentFailed(found: {
  readonly environment: string
  readonly deployment: string
  readonly conclusion: string
  readonly reason?: Reason
}): KnownError {
  return new KnownError({
    code: 'DEPLOYMENT_FAILED',
    kind: 'red',
    message: `The deployment to ${found.environment} ended with "${found.conclusion}"${found.reason === undefined ? '.' : `: ${found.reason.message}`}`,
    hint: found.reason?.hint ?? `\`shipway why ${found.deployment}\` tells more.`,
  })
}

/** What a job passes on below `secrets` cannot be evaluated with the values that they have. The problem itself is not told: it may hold one. */
export function callSecretsFailed(found: { readonly caller: string }): KnownError {
  return new KnownError({
    code: 'CALL_SECRETS_FAILED',
    kind: 'red',
    message: `The secrets that job "${found.caller}" passes on cannot be evaluated.`,
    hint: 'Look at the expressions below its "secrets:", and at the form of the secrets that they read.',
  })
}

/** More secrets than a run may be given. */
export function secretsTooMany(fact: {
  readonly count: number
  readonly countMax: number
  readonly environment?: string
}): KnownError {
  const whose = fact.environment === undefined ? 'The run is given' : `The environment "${fact.environment}" has`
  return new KnownError({
    code: 'SECRETS_TOO_MANY',
    kind: 'usage',
    message: `${whose} ${fact.count} secrets; ${fact.countMax} are allowed, as on GitHub.`,
    hint: 'Give it those that its workflows name.',
  })
}

/** A secret or a variable is longer than GitHub allows. The value is nobody's business. */
export function valueTooLarge(fact: {
  readonly what: 'secret' | 'variable'
  readonly name: string
  readonly bytes: number
  readonly bytesMax: number
}): KnownError {
  return new KnownError({
    code: 'VALUE_TOO_LARGE',
    kind: 'usage',
    message: `The ${fact.what} ${fact.name} has ${fact.bytes} bytes; the limit is ${fact.bytesMax}.`,
    hint: 'Keep the text in an encrypted file of the repository, and its passphrase as the secret.',
  })
}

/** What a start by hand, or from a program, brings with it is longer than GitHub allows. */
export function dispatchTooLarge(fact: {
  readonly name: string
  readonly length: number
  readonly lengthMax: number
}): KnownError {
  return new KnownError({
    code: 'DISPATCH_TOO_LARGE',
    kind: 'usage',
    message: `"${fact.name}" of the event has ${fact.length} characters as JSON; the limit is ${fact.lengthMax}.`,
    hint: 'Pass a name or an address, and let the workflow get the rest.',
  })
}

/** The file with the values of a ticket's secrets is no object of texts. What is in it must not get into an error. */
export function secretsUnreadable(fact: { readonly file: string }): KnownError {
  return new KnownError({
    code: 'SECRETS_UNREADABLE',
    kind: 'usage',
    message: `${fact.file} is not a JSON object of texts.`,
    hint: 'Hand the ticket in again, with its secrets as {"NAME": "value"}.',
  })
}

/** `--matrix` names a value that no leg of any job has. */
export function matrixUnmatched(found: {
  readonly key: string
  readonly value: string
  /** Values of each key that there is. */
  readonly known: Readonly<Record<string, readonly string[]>>
}): KnownError {
  const { key, value, known } = found
  const of = (name: string): string => `${name}: ${(known[name] ?? []).slice(0, matrixValuesShown).join(', ')}`
  const names = known[key] === undefined ? Object.keys(known) : [key]
  const isElsewhere = known[key]?.includes(value) === true
  return new KnownError({
    code: 'MATRIX_UNMATCHED',
    kind: 'usage',
    message: isElsewhere
      ? `No leg of any job has ${key}: ${value} together with the other values that --matrix asks for.`
      : `No leg of any job has ${key}: ${value}, which --matrix asks for (${names.length === 0 ? 'no job has a matrix' : `there are ${names.map(of).join('; ')}`}).`,
    hint: '`shipway plan` without --matrix shows all legs. Write --matrix KEY:VALUE with a key and a value of a matrix.',
  })
}

/** Values of one key that a message names. */
const matrixValuesShown = 20
