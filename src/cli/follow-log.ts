import { stat } from 'node:fs/promises'
import type { RunView } from '#core/view/model.ts'
import type { FollowItem } from '#ports/agent-client.ts'
import { exitOfSignal } from './exit-code.ts'
import { jobLogPath, printLog, startOfTail } from './job-log.ts'
import type { LogSlice } from './job-log.ts'
import { logFilter } from './log-filter.ts'
import type { LogChoice } from './log-filter.ts'
import type { Session } from './session.ts'
import { drained } from './sink.ts'
import { openLive } from './work.ts'
import type { InterruptSignal } from './world.ts'

export interface FollowFlags extends LogChoice {
  readonly tail?: number
  readonly timestamps?: boolean
  /** False with `--no-logs`. */
  readonly logs?: boolean
}

/**
 * Watches a run or a deployment until it has ended. Ctrl-C only stops watching; then the exit status of the signal is the answer, else
 * undefined.
 */
export async function followLog(
  session: Session,
  subject: string,
  run: RunView | undefined,
  flags: FollowFlags,
): Promise<number | undefined> {
  const offsets =
    flags.tail === undefined || run === undefined ? undefined : await tailOffsets(session, run, flags.tail)
  await using client = await session.services.agentClient(session.home, {})
  const isPartial = offsets !== undefined
  const live = openLive(session, 'stdout', {
    hasLogs: flags.logs ?? true,
    // The lines of failed steps are written past the screen.
    hasFooter: flags.failed !== true,
    ...(flags.timestamps === true ? { isStamped: true } : {}),
    ...(isPartial ? { since: session.world.now(), keepsOldLogs: true } : {}),
  })
  using _screen = live.screen
  const choose = logFilter(flags, { jobs: run?.jobs ?? [], ...(offsets === undefined ? {} : { offsets }) })
  const show = session.isJson ? documentWriter(session) : live.show
  const onItem = async (item: FollowItem): Promise<void> => {
    const chosen = choose(item)
    if (chosen !== undefined) await show(chosen)
    const slice = flags.failed === true && chosen !== undefined ? sliceOf(session, run, chosen) : undefined
    if (slice !== undefined && !session.isJson) await printLog(session, slice, { isLabelled: true, hasTimes: false })
  }
  return watch(session, subject, (signal) =>
    client.follow(subject, { logs: flags.logs ?? true, deployments: true, onItem, returnWhenWaiting: false }, signal),
  )
}

async function watch(
  session: Session,
  subject: string,
  follow: (signal: AbortSignal) => Promise<unknown>,
): Promise<number | undefined> {
  const stop = new AbortController()
  let interruptedBy: InterruptSignal | undefined
  const release = session.world.onInterrupt((signal) => {
    if (interruptedBy !== undefined) session.world.exit(exitOfSignal[signal])
    interruptedBy = signal
    stop.abort()
  })
  try {
    await follow(stop.signal)
    return undefined
  } catch (error) {
    if (interruptedBy === undefined) throw error
    session.say(`Stopped watching; \`shipway logs -f ${subject}\` goes on, \`shipway cancel ${subject}\` stops it.`)
    return exitOfSignal[interruptedBy]
  } finally {
    release()
  }
}

/** Where the last lines of every log that is there now begin; logs that begin later are shown whole. */
async function tailOffsets(session: Session, run: RunView, lines: number): Promise<ReadonlyMap<string, number>> {
  const offsets = new Map<string, number>()
  for (const job of run.jobs.filter(({ attempt }) => attempt > 0)) {
    const path = jobLogPath(session.home, run.id, job)
    const end = (await stat(path).catch(() => undefined))?.size ?? 0
    offsets.set(`${job.key}.${job.attempt}`, await startOfTail(path, { start: 0, end, lines }))
  }
  return offsets
}

/** The lines of a step that has ended. */
function sliceOf(session: Session, run: RunView | undefined, item: FollowItem): LogSlice | undefined {
  if (run === undefined || item.kind !== 'event' || item.stored.event.type !== 'step.finished') return undefined
  const { key, attempt, step } = item.stored.event
  if (step.logStart === undefined) return undefined
  return {
    name: run.jobs.find((job) => job.key === key)?.name ?? key,
    path: jobLogPath(session.home, run.id, { key, attempt }),
    start: step.logStart,
    only: step.number,
    ...(step.logEnd === undefined ? {} : { end: step.logEnd }),
  }
}

/** One versioned document per line: what happens, and the lines of logs. */
function documentWriter(session: Session): (item: FollowItem) => Promise<void> {
  const { stdout } = session.world
  return async (item) => {
    const document =
      item.kind === 'event'
        ? { apiVersion: 'v1', kind: 'Event', ...item.stored, at: new Date(item.stored.at).toISOString() }
        : {
            apiVersion: 'v1',
            kind: 'LogLines',
            run: item.runId,
            job: item.jobKey,
            attempt: item.attempt,
            lines: item.text.replace(/\n$/, '').split('\n'),
          }
    stdout.write(`${JSON.stringify(document)}\n`)
    await drained(stdout)
  }
}
