import type { CommandPage } from '../command.ts'
import { addDecisionFlags, decide } from '../decision-call.ts'
import type { DecisionFlags } from '../decision-call.ts'

export const page: CommandPage = {
  description:
    'Says yes to a deployment or a run that waits for an approval. It shows the plan, and the approval counts for this release and this plan only, and it expires. What waited then goes on, and its progress is shown. Where nothing waits, --plan approves a plan that `shipway plan-deploy production` has shown in this home: `shipway deploy production --plan HASH` then applies it, and another plan is asked for anew.',
  examples: [
    { command: 'shipway approve production', purpose: 'what waits for production' },
    {
      command: 'shipway approve dep_01jd --reason "checked on staging"',
      purpose: 'a certain deployment, by the first characters of its id',
    },
    {
      command: 'shipway approve production --plan 3f2a9c1b7d00',
      purpose: 'the plan that was reviewed, and no other; also before a deployment waits with it',
    },
    { command: 'shipway approve 12 --environment production', purpose: 'run #12, which waits for an environment' },
  ],
  exits: [0, 1, 2, 3, 4, 5, 8, 130, 143],
  define: (command, act) => {
    addDecisionFlags(command)
    command.option(
      '--plan <hash>',
      'only this plan, whether a deployment waits with it or not; its first 8 digits are enough',
    )
    command.action(act((session, subject: string, flags: DecisionFlags) => decide(session, 'approve', subject, flags)))
  },
}
