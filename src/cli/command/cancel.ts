import type { CommandPage } from '../command.ts'
import { findCancellable, readFilledHome } from '../open-home.ts'
import type { Session } from '../session.ts'
import { performRequest } from '../work.ts'

interface Flags {
  readonly app?: string
  readonly reason?: string
  readonly detach?: boolean
  readonly logs?: boolean
}

export const page: CommandPage = {
  description:
    'Stops a run, a deployment, or a backup or restore of a database. Steps get a signal and a moment to end; steps with always() still run. A deployment that has switched goes back to the release before; a restore that is being put into place is not stopped any more.',
  examples: [
    { command: 'shipway cancel latest', purpose: 'the latest run' },
    { command: 'shipway cancel dep_01jd --reason "wrong version"', purpose: 'a deployment, and why' },
    { command: 'shipway cancel bkp_06f1q', purpose: 'a backup; rst_… is a restore' },
  ],
  exits: [0, 2, 3],
  define: (command, act) => {
    command
      .argument('<subject>', 'run, deployment, backup or restore: id, first characters of an id, number, or "latest"')
      .option('--app <name>', 'application whose run has the number')
      .option('--reason <text>', 'why, for the history')
      .option('--detach', 'do not wait for the end')
      .option('--no-logs', 'show changes of state only, one line each')
      .action(act(cancel))
  },
}

async function cancel(session: Session, text: string, flags: Flags): Promise<number> {
  const { id } = await readFilledHome(session, async (q) => findCancellable(session, q, text, flags.app))
  const reason = flags.reason === undefined ? {} : { reason: flags.reason }
  const result = await performRequest(
    session,
    { kind: 'cancel', subject: id, ...reason },
    {
      watch: flags.detach === true ? 'none' : 'until-done',
      isDetached: flags.detach === true,
      liveTo: 'stderr',
      hasLogs: flags.logs ?? true,
      isFromNow: true,
      priority: 'P1',
    },
  )
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'Cancellation',
      subject: id,
      state: result.state,
      note: result.note ?? null,
    })
  else
    session.print(
      session.isQuiet
        ? id
        : `✓ ${id} ${result.state === 'left' ? 'will be cancelled' : 'has ended'}; \`shipway ${/^(bkp|rst)_/.test(id) ? 'backup list' : `why ${id}`}\` tells more`,
    )
  return 0
}
