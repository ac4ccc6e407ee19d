import { flagsExclusive } from '#core/known/cli.ts'
import type { CommandPage } from '../command.ts'
import { performDeployment } from '../deploy-call.ts'

interface Flags {
  readonly app?: string
  readonly release?: string
  readonly promote?: boolean
  readonly rollback?: boolean
  readonly force?: boolean
  readonly reason?: string
  readonly exitCode?: boolean
}

export const page: CommandPage = {
  description:
    'Shows what a deployment would do, exactly: per target the files, variables, secrets by name, images and services that change, what somebody changed there by hand, migrations, what is stopped and started, the health rule, and what each rule says now, with what the services answer that gates ask. Changes nothing. The last lines are the hash of the plan and the call that applies this plan and no other; the same hash is what people approve.',
  examples: [
    { command: 'shipway plan-deploy production v1.4.2', purpose: 'what would change, file by file' },
    { command: 'shipway plan-deploy production v1.4.2 --json', purpose: 'for a program; the hash is that of "plan"' },
    { command: 'shipway plan-deploy staging --exit-code', purpose: '9 when something would change, else 0' },
    {
      command: 'shipway plan-deploy production -q',
      purpose: 'only the hash, for `shipway deploy production --plan HASH`',
    },
  ],
  exits: [0, 2, 3, 5, 8, 9],
  define: (command, act) => {
    command
      .argument('<environment>', 'name of the environment')
      .argument('[release]', 'version, id, first digits of an id, or "latest" (default latest)')
      .option('--release <release>', 'the same as the argument')
      .option('--app <name>', 'application (default: of this project)')
      .option('--promote', 'plan `shipway promote`: what the environment before runs, where no release is named')
      .option('--rollback', 'plan `shipway rollback`: the good release before, where no release is named')
      .option('--force', 'go back across a contract migration too; needs --reason')
      .option('--reason <text>', 'why, for a forced one')
      .option('--exit-code', 'end with 9 when something would change, and with 0 when nothing would')
    command.action(
      act(async (session, environment: string, release: string | undefined, flags: Flags) => {
        if (flags.promote === true && flags.rollback === true)
          throw flagsExclusive({ flags: ['--promote', '--rollback'] })
        const mode = flags.promote === true ? 'promote' : flags.rollback === true ? 'rollback' : 'deploy'
        const { app, reason, force, exitCode } = flags
        return performDeployment(session, {
          mode,
          environment,
          release: release ?? flags.release,
          flags: {
            dryRun: true,
            ...(app === undefined ? {} : { app }),
            ...(reason === undefined ? {} : { reason }),
            ...(force === undefined ? {} : { force }),
          },
          preview: { isWhole: true, hasExitCode: exitCode === true },
        })
      }),
    )
  },
}
