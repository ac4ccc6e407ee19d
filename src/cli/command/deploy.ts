import type { CommandPage } from '../command.ts'
import { addDeployFlags, performDeployment } from '../deploy-call.ts'
import type { DeployFlags } from '../deploy-call.ts'

interface Flags extends DeployFlags {
  readonly release?: string
}

export const page: CommandPage = {
  description:
    'Puts a release on an environment: prepares every target, switches, verifies, and confirms; what does not get healthy puts itself back. The rules of the environment hold for everybody. An environment with approvals or "after" asks first.',
  examples: [
    { command: 'shipway deploy staging', purpose: 'the latest release' },
    { command: 'shipway deploy staging v1.4.2', purpose: 'a certain release' },
    { command: 'shipway deploy production v1.4.2 --dry-run', purpose: 'what would change, and which rules hold' },
    { command: 'shipway deploy production --yes --wait', purpose: 'in a script: do not ask, wait for the approvals' },
  ],
  exits: [0, 1, 2, 3, 4, 5, 8, 130, 143],
  define: (command, act) => {
    command
      .argument('<environment>', 'name of the environment')
      .argument('[release]', 'version, id, first digits of an id, or "latest" (default latest)')
      .option('--release <release>', 'the same as the argument')
    addDeployFlags(command)
    command.action(
      act((session, environment: string, release: string | undefined, flags: Flags) =>
        performDeployment(session, { mode: 'deploy', environment, release: release ?? flags.release, flags }),
      ),
    )
  },
}
