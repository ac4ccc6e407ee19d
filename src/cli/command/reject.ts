import type { CommandPage } from '../command.ts'
import { addDecisionFlags, decide } from '../decision-call.ts'
import type { DecisionFlags } from '../decision-call.ts'

export const page: CommandPage = {
  description: 'Says no to a deployment or a run that waits for an approval. It ends, and the reason is kept.',
  examples: [
    { command: 'shipway reject production --reason "wait for the weekend"', purpose: 'what waits for production' },
    { command: 'shipway reject dep_01jd', purpose: 'a certain deployment, by the first characters of its id' },
  ],
  exits: [0, 2, 3],
  define: (command, act) => {
    addDecisionFlags(command)
    command.action(act((session, subject: string, flags: DecisionFlags) => decide(session, 'reject', subject, flags)))
  },
}
