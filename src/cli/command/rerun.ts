import { flagInvalid, flagsExclusive, rerunOfDeployment } from '#core/known/cli.ts'
import type { RerunScope } from '#core/run/rerun.ts'
import type { CommandPage } from '../command.ts'
import { findSubject, readFilledHome } from '../open-home.ts'
import { collect, parseCount } from '../pairs.ts'
import { tellRuns } from '../perform-run.ts'
import { readSecrets } from '../secrets.ts'
import type { Session } from '../session.ts'
import { performRequest } from '../work.ts'

interface Flags {
  readonly app?: string
  readonly failed?: boolean
  readonly job?: string
  readonly fromStep?: string
  readonly secret?: readonly string[]
  readonly secretFile?: readonly string[]
  readonly jobs?: number
  readonly wait?: boolean
  readonly logs?: boolean
}

export const page: CommandPage = {
  description:
    'Runs a finished run again, on the same commit and with the same inputs, as its next attempt: all of it, what failed, or one job. Jobs that need a job which runs again run again too; all others keep their results and outputs. Of a called workflow only the job (`--job caller/inner`) or what failed in it runs again, and the call tells its outputs anew; a caller that is named takes its whole call with it. ' +
    'With --from-step a job that failed goes on in the workspace that it left: outputs, variables and PATH of the steps before are kept; RUNNER_TEMP, and values that held a secret, are not. ' +
    'Earlier attempts stay readable (`shipway logs RUN --attempt 1`). Values of secrets are removed when a run ends: give them again.',
  examples: [
    { command: 'shipway rerun latest --failed', purpose: 'what failed in the latest run, and what needs it' },
    { command: 'shipway rerun 12', purpose: 'all of run #12' },
    { command: 'shipway rerun 12 --from-step test:3', purpose: 'the job "test" from its third step on' },
    { command: 'shipway rerun 12 --job deploy --secret TOKEN', purpose: 'one job, its secret from the environment' },
  ],
  exits: [0, 1, 2, 3, 8, 130, 143],
  define: (command, act) => {
    command
      .argument('<run>', 'id, first characters of an id, number or "latest"')
      .option('--app <name>', 'application whose run has the number')
      .option('--failed', 'only jobs that failed or were cancelled, and what needs them')
      .option('--job <id>', 'only this job (its id, key or name), and what needs it')
      .option('--from-step <job:step>', 'only this job, from this step on; the steps before it are kept')
      .option(
        '--secret <name[=value]>',
        'secret, its value from the environment variable of that name; may be repeated',
        collect,
      )
      .option('--secret-file <file>', 'file with NAME=value lines; may be repeated', collect)
      .option('--jobs <n>', 'jobs at the same time (default: the processors of this machine)', parseCount('--jobs'))
      .option('--no-logs', 'show changes of state only, one line each')
      .option('--wait', 'wait also when only a person can go on')
      .action(act(rerun))
  },
}

async function rerun(session: Session, text: string, flags: Flags): Promise<number> {
  const scope = scopeOf(flags)
  const subject = await readFilledHome(session, async (q) => findSubject(session, q, text, flags.app))
  if (subject.kind !== 'run') throw rerunOfDeployment({ subject: subject.id })
  const secrets = await readSecrets(session, flags)
  const result = await performRequest(
    session,
    { kind: 'rerun', run: subject.id, scope, secretNames: Object.keys(secrets) },
    {
      secrets,
      watch: flags.wait === true ? 'until-done' : 'until-waiting',
      liveTo: session.isJson ? 'stderr' : 'stdout',
      hasLogs: flags.logs ?? true,
      isFromNow: true,
      ...(flags.jobs === undefined ? {} : { jobs: flags.jobs }),
    },
  )
  return tellRuns(session, result, flags.logs === false)
}

function scopeOf({ failed, job, fromStep }: Flags): RerunScope {
  const given = Object.entries({ '--failed': failed, '--job': job, '--from-step': fromStep })
  const flags = given.filter(([, value]) => value !== undefined).map(([flag]) => flag)
  if (flags.length > 1) throw flagsExclusive({ flags })
  if (fromStep !== undefined) return stepOf(fromStep)
  if (job !== undefined) return { kind: 'job', job }
  return failed === true ? { kind: 'failed' } : { kind: 'all' }
}

function stepOf(text: string): RerunScope {
  const at = text.indexOf(':')
  if (at <= 0 || at === text.length - 1)
    throw flagInvalid({ flag: '--from-step', value: text, expected: 'JOB:STEP, such as test:3' })
  return { kind: 'step', job: text.slice(0, at), step: text.slice(at + 1) }
}
