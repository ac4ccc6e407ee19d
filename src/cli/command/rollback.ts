import { callInvalid, flagsExclusive } from '#core/known/cli.ts'
import type { CommandPage } from '../command.ts'
import { addDeployFlags, performDeployment } from '../deploy-call.ts'
import type { DeployFlags } from '../deploy-call.ts'

interface Flags extends DeployFlags {
  readonly to?: string
  readonly rehearse?: boolean
}

export const page: CommandPage = {
  description:
    'Puts an earlier release back with its own configuration, ahead of everything that waits; a deployment that is under way is stopped. Its files are still on the targets, so it is only a switch. Needs no approval for what has run there before. The release that it leaves is refused there until `shipway resume`. Refused across a release with a contract migration.',
  examples: [
    { command: 'shipway rollback production', purpose: 'to the release that ran before' },
    { command: 'shipway rollback production 2', purpose: 'two good releases back' },
    {
      command: 'shipway rollback production v1.4.1 --reason "errors at checkout"',
      purpose: 'to a certain one, and why',
    },
    { command: 'shipway rollback production --yes', purpose: 'in a script' },
    { command: 'shipway rollback staging --rehearse', purpose: 'back and forth again: how long does it take?' },
  ],
  exits: [0, 1, 2, 3, 4, 5, 8, 130, 143],
  define: (command, act) => {
    command
      .argument('<environment>', 'name of the environment')
      .argument(
        '[where]',
        'how many good releases back (1 to 999), or version, id or first digits of an id (default: 1)',
      )
      .option('--to <release>', 'version, id or first digits of an id; also a version that looks like a number')
      .option('--rehearse', 'go back and come forward again at once; not where a person must approve')
    addDeployFlags(command)
    command.action(
      act(async (session, environment: string, where: string | undefined, flags: Flags) => {
        if (where !== undefined && flags.to !== undefined) throw flagsExclusive({ flags: ['[where]', '--to'] })
        const steps = stepsOf(where)
        const call = {
          mode: 'rollback',
          environment,
          release: flags.to ?? (steps === undefined ? where : undefined),
          ...(steps === undefined ? {} : { steps }),
          flags,
        } as const
        if (flags.rehearse !== true) return performDeployment(session, call)
        if (flags.detach === true) throw flagsExclusive({ flags: ['--rehearse', '--detach'] })
        const { rehearseRollback } = await import('../rehearsal.ts')
        return rehearseRollback(session, call)
      }),
    )
  },
}

/** A short number counts releases; anything longer is the beginning of an id. */
function stepsOf(where: string | undefined): number | undefined {
  if (where === undefined || !/^\d{1,3}$/.test(where)) return undefined
  const steps = Number(where)
  if (steps === 0)
    throw callInvalid({ problem: 'a rollback goes at least 1 release back', usage: 'shipway rollback <environment> 1' })
  return steps
}
