import type { CommandPage } from '../command.ts'
import { addLetGoFlags, letGo } from '../let-go.ts'
import type { LetGoFlags } from '../let-go.ts'

export const page: CommandPage = {
  description:
    'Lifts the lock of an environment. What waited for it goes on: which releases these are is said first, their progress is shown, and the exit status tells how they ended. A lock stops every deployment and is lifted with this command; a hold stops automatic ones only, follows a failure, and is lifted with `shipway resume`.',
  examples: [
    { command: 'shipway unlock production --dry-run', purpose: 'which deployments would go on' },
    { command: 'shipway unlock production', purpose: 'let deployments through again' },
    { command: 'shipway unlock production --reason "the move is done"', purpose: 'and say why' },
  ],
  exits: [0, 1, 2, 3, 4, 5, 8, 130, 143],
  define: (command, act) => {
    addLetGoFlags(command)
    command.action(
      act((session, name: string, flags: LetGoFlags) =>
        letGo(
          session,
          {
            action: 'unlock',
            waitsFor: 'ENVIRONMENT_LOCKED',
            done: 'is unlocked',
            remark: ({ hold }) =>
              hold === undefined
                ? undefined
                : `automatic deployments to ${name} are still held: ${hold.reason}\n  next: shipway resume ${name}`,
          },
          name,
          flags,
        ),
      ),
    )
  },
}
