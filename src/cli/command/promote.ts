import type { CommandPage } from '../command.ts'
import { addDeployFlags, performDeployment } from '../deploy-call.ts'
import type { DeployFlags } from '../deploy-call.ts'

interface Flags extends DeployFlags {
  readonly release?: string
}

export const page: CommandPage = {
  description:
    'Brings the release that the environment before has verified to the next environment. Which one is before stands in "after" of shipway.yml.',
  examples: [
    { command: 'shipway promote production', purpose: 'what staging runs' },
    { command: 'shipway promote production v1.4.2 --reason "hotfix"', purpose: 'a certain release' },
    { command: 'shipway promote production --dry-run', purpose: 'what would change' },
  ],
  exits: [0, 1, 2, 3, 4, 5, 8, 130, 143],
  define: (command, act) => {
    command
      .argument('<environment>', 'environment that is to get the release')
      .argument('[release]', 'version, id or first digits of an id (default: what the environment before runs)')
      .option('--release <release>', 'the same as the argument')
    addDeployFlags(command)
    command.action(
      act((session, environment: string, release: string | undefined, flags: Flags) =>
        performDeployment(session, { mode: 'promote', environment, release: release ?? flags.release, flags }),
      ),
    )
  },
}
