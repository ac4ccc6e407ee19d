import type { CommandPage } from '../command.ts'
import { addDeployFlags, performDeployment } from '../deploy-call.ts'
import type { DeployFlags } from '../deploy-call.ts'

interface Flags extends DeployFlags {
  readonly to?: string
}

export const page: CommandPage = {
  description:
    'Puts an earlier release back with its own configuration, ahead of everything that waits. Its files are still on the targets, so it is only a switch. Needs no approval for what has run there before.',
  examples: [
    { command: 'shipway rollback production', purpose: 'to the release that ran before' },
    {
      command: 'shipway rollback production --to v1.4.1 --reason "errors at checkout"',
      purpose: 'to a certain one, and why',
    },
    { command: 'shipway rollback production --yes', purpose: 'in a script' },
  ],
  exits: [0, 1, 2, 3, 4, 5, 8, 130, 143],
  define: (command, act) => {
    command
      .argument('<environment>', 'name of the environment')
      .option('--to <release>', 'version, id or first digits of an id (default: the one before)')
    addDeployFlags(command)
    command.action(
      act((session, environment: string, flags: Flags) =>
        performDeployment(session, { mode: 'rollback', environment, release: flags.to, flags }),
      ),
    )
  },
}
