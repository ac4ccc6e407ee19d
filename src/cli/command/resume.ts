import type { CommandPage } from '../command.ts'
import { addLetGoFlags, letGo } from '../let-go.ts'
import type { LetGoFlags } from '../let-go.ts'

export const page: CommandPage = {
  description:
    'Lifts the hold that a failed deployment or a rollback left on an environment: from then on releases come there by themselves again. What waited for it goes on at once: which releases these are is said first, their progress is shown, and the exit status tells how they ended. A hold stops automatic deployments only; a lock (`shipway lock`) stops everybody, and `shipway unlock` lifts it.',
  examples: [
    { command: 'shipway resume staging --dry-run', purpose: 'which deployments would go on' },
    { command: 'shipway resume staging', purpose: 'when the cause is mended' },
    { command: 'shipway resume staging --reason "fixed in v1.4.3"', purpose: 'and say why' },
  ],
  exits: [0, 1, 2, 3, 4, 5, 8, 130, 143],
  define: (command, act) => {
    addLetGoFlags(command)
    command.action(
      act((session, name: string, flags: LetGoFlags) =>
        letGo(
          session,
          {
            action: 'resume',
            waitsFor: 'ENVIRONMENT_HELD',
            done: 'takes releases by itself again',
            remark: ({ lock }) =>
              lock === undefined
                ? undefined
                : `${name} is still locked by ${lock.by}, so nobody deploys${lock.reason === undefined ? '' : `: ${lock.reason}`}\n  next: shipway unlock ${name}`,
          },
          name,
          flags,
        ),
      ),
    )
  },
}
