import { viewRun } from '#store/view.ts'
import type { AgentClient, FollowItem } from '#ports/agent-client.ts'
import type { CommandPage } from '../command.ts'
import { headline } from '../live/ending.ts'
import { readFilledHome } from '../open-home.ts'
import { parseCount } from '../pairs.ts'
import type { Session } from '../session.ts'
import { openLive } from '../work.ts'

interface Flags {
  readonly jobs?: number
  readonly untilQuiet?: boolean
}

export const page: CommandPage = {
  description:
    'Works as the agent of the state home until Ctrl-C: takes tickets from the inbox, runs them, and carries on what an agent before it left unfinished. ' +
    'While it lives it starts the schedules of all repositories with a shipway.yml that ran here, from the newest commit of their default branch; a time missed within the last hour is made up for once. ' +
    'Other commands need no agent of their own; they become one for as long as they run. Start this one under systemd, or with --until-quiet from cron, ' +
    'so that approvals, hand-dropped tickets and interrupted runs go on when nobody sits at a terminal.',
  examples: [
    { command: 'shipway agent', purpose: 'own the state home until Ctrl-C' },
    { command: 'shipway agent --until-quiet', purpose: 'finish what an interrupted run left, then end' },
  ],
  exits: [0, 2, 3, 130],
  define: (command, act) => {
    command
      .option('--jobs <n>', 'jobs at the same time (default: the processors of this machine)', parseCount('--jobs'))
      .option('--until-quiet', 'end when nothing can go on without a person')
      .action(act(serve))
  },
}

async function serve(session: Session, flags: Flags): Promise<number> {
  await using client = await session.services.agentClient(
    session.home,
    flags.jobs === undefined ? {} : { jobs: flags.jobs },
  )
  const stop = new AbortController()
  const release = session.world.onInterrupt(() => stop.abort())
  session.say(`agent of ${session.home}; Ctrl-C ends it, what runs is carried on by the next one`)
  try {
    if (flags.untilQuiet === true) await untilQuiet(session, client, stop.signal)
    else await client.serve({ untilQuiet: false, onRemark: session.warn }, stop.signal)
  } finally {
    release()
  }
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'Agent',
      home: session.home,
      ended: stop.signal.aborted ? 'interrupted' : 'quiet',
    })
  return 0
}

/** Tells what it carries on: whoever has called it, or reads the mail of cron, sees no other screen of it. */
async function untilQuiet(session: Session, client: AgentClient, signal: AbortSignal): Promise<void> {
  const since = session.world.now()
  const live = openLive(session, 'stderr', { hasLogs: false, since })
  using _screen = live.screen
  const runs = new Set<string>()
  let isIdle = true
  const onItem = async (item: FollowItem): Promise<void> => {
    if (item.kind === 'event' && item.stored.at >= since) {
      isIdle = false
      if (item.stored.subject.startsWith('run_')) runs.add(item.stored.subject)
    }
    await live.show(item)
  }
  const onRemark = (text: string): void => {
    isIdle = false
    session.warn(text)
  }
  await client.serve({ untilQuiet: true, onRemark, onItem }, signal)
  if (signal.aborted) return
  for (const run of runs) await tellRun(session, run)
  if (isIdle) session.say('there was nothing to carry on')
}

async function tellRun(session: Session, id: string): Promise<void> {
  const view = await readFilledHome(session, async (q) => viewRun(q, id))
  if (view !== undefined) session.say(headline(view, session.err))
}
