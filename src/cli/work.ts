import { errorFromReport, reportError } from '#core/errors.ts'
import type { ErrorReport } from '#core/errors.ts'
import type { TicketRequest } from '#core/ticket/model.ts'
import type { AgentClient, FollowItem, SubmitOptions } from '#ports/agent-client.ts'
import { exitOfSignal } from './exit-code.ts'
import type { FailureShell } from './failure-shell.ts'
import { originOf, whoAmI } from './identity.ts'
import { renderFooter, renderItem } from './live/live-log.ts'
import { startLive } from './live/live-state.ts'
import type { LiveView } from './live/live-state.ts'
import { renderPlainLog } from './live/plain-log.ts'
import { Screen } from './live/screen.ts'
import { OthersWork } from './others-work.ts'
import type { Session } from './session.ts'
import { drained } from './sink.ts'
import type { InterruptSignal } from './world.ts'

/** How a request ended, as far as this process saw it. */
export interface WorkResult {
  /** Runs and deployments that the request made or acted on. */
  readonly subjects: readonly string[]
  readonly note?: string
  /** `waiting`: only a person can go on. `left`: nobody watched, by wish. */
  readonly state: 'done' | 'waiting' | 'left'
  /** What interrupted it, so that the work was cancelled. */
  readonly interruptedBy?: InterruptSignal
}

export interface WorkOptions {
  readonly secrets?: Readonly<Record<string, string>>
  readonly priority?: 'P1' | 'P2' | 'P3'
  /** Jobs at the same time, when this process becomes the agent. */
  readonly jobs?: number
  /** With `none`: the work is left to an agent in the background, which is started when none lives. */
  readonly isDetached?: boolean
  /** `none`: return once the request is admitted. */
  readonly watch: 'none' | 'until-waiting' | 'until-done'
  /** What is watched in place of what the request acted on. */
  readonly subjects?: readonly string[]
  /** Called once the request is admitted, before anything is shown of what follows. */
  readonly onAdmitted?: (note: string | undefined) => void
  /** Where the live log goes. */
  readonly liveTo: 'stdout' | 'stderr'
  /** Shows only what happens from now on: for a word on something that has a history. */
  readonly isFromNow?: boolean
  /** False with `--no-logs`: changes of state only. */
  readonly hasLogs?: boolean
  /** Opens a shell where a step fails: `--shell-on-failure`. */
  readonly shell?: FailureShell
  /** The caller tells how deployments ended. */
  readonly tellsEnds?: boolean
}

/**
 * Hands a request in, waits until it is admitted, and shows what happens until it has ended. The first Ctrl-C cancels the work and
 * goes on watching how it ends; the second ends this process at once.
 */
export async function performRequest(
  session: Session,
  request: TicketRequest,
  options: WorkOptions,
): Promise<WorkResult> {
  // Ended last: what the client still finishes while it leaves is told, too.
  await using others = new OthersWork(session)
  const client = await session.services.agentClient(session.home, {
    onChanged: (subject) => others.hear(subject),
    ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
    isVisitor: options.isDetached === true,
    ...(options.shell === undefined ? {} : { openShell: options.shell.open }),
  })
  await using _ = client
  const requestedBy = whoAmI(session.world)
  const startedAt = session.world.now()
  const { priority = 'P2', secrets } = options
  const admission = new AbortController()
  const release = session.world.onInterrupt((signal) => session.world.exit(exitOfSignal[signal]))
  let ticket: string
  try {
    ticket = await client.submit(request, {
      priority,
      requestedBy,
      ...identityOf(session),
      ...(secrets === undefined ? {} : { secrets }),
    })
  } finally {
    release()
  }
  const outcome = await client.outcome(ticket, admission.signal)
  if (outcome.kind === 'refused') throw errorFromReport(outcome.error as unknown as ErrorReport)
  const { note } = outcome
  const subjects = options.subjects ?? outcome.subjects
  options.onAdmitted?.(note)
  others.leaveOut([...subjects, ...outcome.subjects, ...(outcome.stopped ?? [])])
  const noted = note === undefined ? {} : { note }
  if (options.watch === 'none') return { subjects, ...noted, state: 'left' }
  // What was stopped for it goes back first, and whoever waits sees that.
  const shown = [...(outcome.stopped ?? []), ...subjects]
  const watched = await watchSubjects(session, client, shown, { ...options, startedAt, others })
  if (watched.interruptedBy === undefined) await carryOn(session, client)
  return { subjects, ...noted, ...watched }
}

/** The last one to leave does what others have handed in: an approval of somebody else, a run whose terminal is gone. */
async function carryOn(session: Session, client: AgentClient): Promise<void> {
  const leave = new AbortController()
  const stopListening = session.world.onInterrupt(() => leave.abort())
  try {
    await client.carryOn(
      () =>
        session.say(
          'nobody else works on what is left in this home: carrying it on (Ctrl-C leaves it to the next agent)',
        ),
      leave.signal,
    )
  } finally {
    stopListening()
  }
}

/** Shows several runs or deployments until all have ended or wait for a person. */
async function watchSubjects(
  session: Session,
  client: AgentClient,
  subjects: readonly string[],
  options: WorkOptions & { readonly startedAt: number; readonly others: OthersWork },
): Promise<Pick<WorkResult, 'interruptedBy'> & { state: 'done' | 'waiting' }> {
  const hasLogs = options.hasLogs ?? true
  const live = openLive(session, options.liveTo, {
    hasLogs,
    // Only where both streams go to the same place: a result in a file tells nothing to whoever watches.
    leavesOutEnds: options.tellsEnds === true && session.world.isTTY === session.world.stderrIsTTY && !session.isJson,
    ...(options.isFromNow === true ? { since: options.startedAt } : {}),
  })
  using _screen = live.screen
  using _told = options.others.tellOn((line) => live.screen.write(line))
  options.shell?.attach(live.screen)
  const show = async (item: FollowItem): Promise<void> => {
    await options.shell?.mayShow()
    await live.show(item)
    options.shell?.hasShown(item)
  }
  let interruptedBy: InterruptSignal | undefined
  let cancellation: Cancellation | undefined
  const stopListening = session.world.onInterrupt((signal) => {
    if (cancellation !== undefined) {
      const leave = (): void => session.world.exit(exitOfSignal[signal])
      // Signing and writing the request takes a moment: somebody in a hurry must not lose it.
      if (cancellation.isLeaving) leave()
      cancellation.isLeaving = true
      void cancellation.handedIn.finally(leave)
      return
    }
    interruptedBy = signal
    live.screen.write(
      `interrupted: cancelling ${subjects.join(', ')} (Ctrl-C again leaves at once; \`shipway ps\` shows what is left)\n`,
    )
    cancellation = cancelAll(session, client, subjects, { signal, tell: (line) => live.screen.write(line) })
  })
  try {
    const follow = {
      logs: hasLogs,
      deployments: true,
      onItem: show,
      returnWhenWaiting: options.watch === 'until-waiting',
    }
    const ends = await Promise.all(
      subjects.map((subject) => client.follow(subject, follow, new AbortController().signal)),
    )
    await cancellation?.done
    return {
      state: ends.includes('waiting') ? 'waiting' : 'done',
      ...(interruptedBy === undefined ? {} : { interruptedBy }),
    }
  } finally {
    stopListening()
  }
}

/** Why a run was cancelled, as its history tells it. */
const interruptedWords: Readonly<Record<InterruptSignal, string>> = {
  SIGINT: 'Interrupted by Ctrl-C.',
  SIGTERM: 'Ended by SIGTERM.',
}

/** Where the request comes from, and the key that it is signed with. */
function identityOf({ world, services }: Session): Pick<SubmitOptions, 'origin' | 'sign'> {
  return { origin: originOf(), sign: (signed) => services.signTicket({ env: world.env, cwd: world.cwd }, signed) }
}

/** Requests that somebody's interrupt has set going. Neither promise rejects. */
interface Cancellation {
  /** Resolves when the requests are in the inbox, where they outlive this process. */
  readonly handedIn: Promise<unknown>
  readonly done: Promise<void>
  /** Somebody waits for `handedIn` alone. */
  isLeaving: boolean
}

/** What could not be cancelled is told, and the work goes on. */
function cancelAll(
  session: Session,
  client: AgentClient,
  subjects: readonly string[],
  { signal, tell }: { readonly signal: InterruptSignal; readonly tell: (line: string) => void },
): Cancellation {
  const options = { priority: 'P1', requestedBy: whoAmI(session.world), ...identityOf(session) } as const
  const tickets = subjects.map((subject) =>
    client.submit({ kind: 'cancel', subject, reason: interruptedWords[signal] }, options),
  )
  const answer = async (ticket: Promise<string>): Promise<void> => {
    const outcome = await client.outcome(await ticket, new AbortController().signal)
    if (outcome.kind === 'refused') throw errorFromReport(outcome.error as unknown as ErrorReport)
  }
  const tellRefused = async (): Promise<void> => {
    const results = await Promise.allSettled(tickets.map((ticket) => answer(ticket)))
    for (const [index, result] of results.entries()) {
      if (result.status === 'rejected')
        tell(`${subjects[index] ?? ''} is not cancelled: ${reportError(result.reason).message}\n`)
    }
  }
  return { handedIn: Promise.allSettled(tickets), done: tellRefused(), isLeaving: false }
}

/** The live log on one stream: what to call with each item, and the screen that must be disposed. */
export function openLive(
  session: Session,
  to: 'stdout' | 'stderr',
  {
    hasFooter: mayHaveFooter = true,
    ...options
  }: Pick<LiveView, 'hasLogs'> & Partial<LiveView> & { readonly hasFooter?: boolean },
): { readonly show: (item: FollowItem) => Promise<void>; readonly screen: Screen } {
  const { world } = session
  const isTTY = to === 'stdout' ? world.isTTY : world.stderrIsTTY
  const isInCi = (world.env['CI'] ?? '') !== ''
  const state = startLive()
  const view: LiveView = {
    palette: to === 'stdout' ? session.out : session.err,
    isStamped: !isTTY || isInCi,
    isQuiet: session.isQuiet,
    ...options,
  }
  const hasFooter = mayHaveFooter && isTTY && !isInCi && !session.isQuiet && view.palette.isColoured
  const footer = hasFooter ? () => view.palette.paint('dim', renderFooter(state, world.now())) : undefined
  const sink = to === 'stdout' ? world.stdout : world.stderr
  const screen = new Screen(sink, { width: world.width, footer })
  const show = async (item: FollowItem): Promise<void> => {
    const bytes = hasFooter ? undefined : renderPlainLog(state, item, view)
    if (bytes !== undefined) sink.write(bytes)
    else {
      const text = renderItem(state, item, view)
      if (text === undefined) return
      screen.write(text)
    }
    await drained(sink)
  }
  return { show, screen }
}
