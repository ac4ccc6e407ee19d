import type { CommandPage } from '../command.ts'
import { addEnvironmentFlags, changeEnvironment } from '../environment-call.ts'
import type { EnvironmentFlags } from '../environment-call.ts'

export const page: CommandPage = {
  description:
    'Lifts the hold that a failed deployment or a rollback left on an environment: from then on releases come there by themselves again.',
  examples: [
    { command: 'shipway resume staging', purpose: 'when the cause is mended' },
    { command: 'shipway resume staging --reason "fixed in v1.4.3"', purpose: 'and say why' },
  ],
  exits: [0, 2, 3],
  define: (command, act) => {
    addEnvironmentFlags(command)
    command.action(
      act((session, name: string, flags: EnvironmentFlags) =>
        changeEnvironment(session, { action: 'resume', done: 'takes releases by itself again' }, name, flags),
      ),
    )
  },
}
