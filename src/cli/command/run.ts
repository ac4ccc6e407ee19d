import type { CommandPage } from '../command.ts'
import { collect, parseCount } from '../pairs.ts'
import type { PerformFlags } from '../perform-run.ts'
import type { Session } from '../session.ts'
import { addEventFlags } from './event-flags.ts'

interface Flags extends PerformFlags {
  readonly dryRun?: boolean
}

export const page: CommandPage = {
  description:
    'Runs the workflows that answer to an event on this commit, with the changes that nobody committed yet, and shows their log until they have ended. ' +
    'Without an event it does what a push of the current branch would do. Ctrl-C cancels the run; pressing it again leaves at once. ' +
    'With --shell-on-failure a step that fails opens a shell in its folder, with its environment, inside of its container if it ran in one; Ctrl-D goes on with the job.',
  examples: [
    { command: 'shipway run', purpose: 'what a push of this commit would run' },
    { command: 'shipway run pull_request --job test', purpose: 'the job "test" and what it needs' },
    { command: 'shipway run --job test --shell-on-failure', purpose: 'look around where a step fails' },
    { command: 'shipway run workflow_dispatch --input version=1.4.2', purpose: 'a start by hand' },
    {
      command: 'shipway run --secret NPM_TOKEN --json > run.json',
      purpose: 'a secret from the environment, the result as JSON',
    },
  ],
  exits: [0, 1, 2, 3, 8, 130, 143],
  define: (command, act) => {
    addEventFlags(command)
    command
      .option(
        '--secret <name[=value]>',
        'secret, its value from the environment variable of that name; may be repeated',
        collect,
      )
      .option('--secret-file <file>', 'file with NAME=value lines; may be repeated', collect)
      .option('--env <key=value>', 'environment variable for every step; may be repeated', collect)
      .option('--jobs <n>', 'jobs at the same time (default: the processors of this machine)', parseCount('--jobs'))
      .option('--dry-run', 'show the plan, run nothing')
      .option('--shell-on-failure', 'open a shell where a step fails, before the job goes on (needs a terminal)')
      .option('--no-logs', 'show changes of state only, one line each')
      .option('--wait', 'wait also when only a person can go on')
      .action(act(run))
  },
}

/**
 * Everything that takes its time is set going first: git looks at the repository and a runner starts, while this process reads the
 * program that carries on.
 */
async function run(session: Session, event: string | undefined, flags: Flags): Promise<number> {
  if (flags.dryRun === true) return (await import('./plan.ts')).showPlan(session, event, flags)
  const described = session.services.describeRepository(session.directory)
  const prepared = session.services.prepareAgent(session.home)
  for (const early of [described, prepared]) early.catch(() => undefined)
  const { performRun } = await import('../perform-run.ts')
  return performRun(session, event, flags, described)
}
