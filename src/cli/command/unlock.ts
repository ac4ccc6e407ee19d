import type { CommandPage } from '../command.ts'
import { addEnvironmentFlags, changeEnvironment } from '../environment-call.ts'
import type { EnvironmentFlags } from '../environment-call.ts'

export const page: CommandPage = {
  description: 'Lifts the lock of an environment. What waited for it goes on.',
  examples: [
    { command: 'shipway unlock production', purpose: 'let deployments through again' },
    { command: 'shipway unlock production --reason "the move is done"', purpose: 'and say why' },
  ],
  exits: [0, 2, 3],
  define: (command, act) => {
    addEnvironmentFlags(command)
    command.action(
      act((session, name: string, flags: EnvironmentFlags) =>
        changeEnvironment(session, { action: 'unlock', done: 'is unlocked' }, name, flags),
      ),
    )
  },
}
