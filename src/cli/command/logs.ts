import { jobUnknown } from '#core/known/cli.ts'
import type { JobView, RunView, StepView } from '#core/view/model.ts'
import { viewRun } from '#store/view.ts'
import type { CommandPage } from '../command.ts'
import { jobLogPath, printLog } from '../job-log.ts'
import type { LogSlice } from '../job-log.ts'
import { findSubject, readFilledHome } from '../open-home.ts'
import { parseCount } from '../pairs.ts'
import type { Session } from '../session.ts'
import { openLive } from '../work.ts'

interface Flags {
  readonly job?: string
  readonly step?: string
  readonly tail?: number
  readonly timestamps?: boolean
  readonly failed?: boolean
  readonly follow?: boolean
}

export const page: CommandPage = {
  description:
    'Shows the log of a run: of all its jobs, of one job, or of one step. A run is named by its id, the first characters of it, its number, or "latest". With -f it goes on until the run has ended; Ctrl-C stops watching, never the run.',
  examples: [
    { command: 'shipway logs latest', purpose: 'the whole log of the latest run' },
    { command: 'shipway logs 12 --failed', purpose: 'only the steps that failed in run #12' },
    { command: 'shipway logs latest --job test --tail 50', purpose: 'the end of one job' },
    { command: 'shipway logs -f latest', purpose: 'watch a run' },
  ],
  exits: [0, 1, 2],
  define: (command, act) => {
    command
      .argument('[run]', 'id, first characters of an id, number or "latest"', 'latest')
      .option('--job <id>', 'only this job: its id, key or name')
      .option('--step <name>', 'only this step: its number, id or name')
      .option('--tail <n>', 'only the last lines of each job', parseCount('--tail'))
      .option('--timestamps', 'the time in front of each line')
      .option('--failed', 'only steps that failed')
      .option('-f, --follow', 'go on until the run has ended')
      .action(act(logs))
  },
}

async function logs(session: Session, wanted: string, flags: Flags): Promise<number> {
  const { subject, run } = await readFilledHome(session, async (q) => {
    const subject = await findSubject(q, wanted)
    return { subject, run: subject.kind === 'run' ? await viewRun(q, subject.id) : undefined }
  })
  if (run === undefined || (flags.follow === true && run.state !== 'done')) return follow(session, subject.id)
  const slices = selectSlices(session.home, run, flags)
  if (session.isJson) {
    session.printJson({
      apiVersion: 'v1',
      kind: 'LogList',
      items: slices.map((slice) => ({
        job: slice.job.key,
        step: slice.step?.name ?? null,
        path: slice.path,
        start: slice.start,
        end: slice.end ?? null,
      })),
    })
    return 0
  }
  for (const slice of slices) {
    await printLog(session, slice, {
      isLabelled: slices.length > 1,
      hasTimes: flags.timestamps === true,
      ...(flags.tail === undefined ? {} : { tail: flags.tail }),
    })
  }
  if (slices.length === 0) session.say(flags.failed === true ? 'No step failed.' : 'Nothing has been logged yet.')
  return 0
}

/** Watches a run or a deployment; Ctrl-C only stops watching. */
async function follow(session: Session, subject: string): Promise<number> {
  await using client = await session.services.agentClient(session.home, {})
  const live = openLive(session, 'stdout', { hasLogs: true })
  using _screen = live.screen
  const stop = new AbortController()
  const release = session.world.onInterrupt(() => {
    if (stop.signal.aborted) session.world.exit(130)
    stop.abort()
  })
  try {
    await client.follow(
      subject,
      { logs: true, deployments: true, onItem: live.show, returnWhenWaiting: false },
      stop.signal,
    )
    return 0
  } catch (error) {
    if (!stop.signal.aborted) throw error
    live.screen.write('')
    session.say(`Stopped watching; \`shipway logs -f ${subject}\` goes on, \`shipway cancel ${subject}\` stops it.`)
    return 130
  } finally {
    release()
  }
}

function selectSlices(home: string, run: RunView, flags: Flags): readonly LogSlice[] {
  const jobs =
    flags.job === undefined
      ? run.jobs
      : run.jobs.filter((job) => [job.key, job.jobId, job.name].includes(flags.job ?? ''))
  if (jobs.length === 0 && flags.job !== undefined)
    throw jobUnknown({ run: run.id, job: flags.job, known: run.jobs.map((job) => job.key) })
  const slices = jobs.filter((job) => job.attempt > 0).flatMap((job) => slicesOf(home, run.id, job, flags))
  if (slices.length === 0 && flags.step !== undefined) {
    throw jobUnknown({
      run: run.id,
      job: flags.step,
      known: jobs.flatMap((job) => job.steps.map((step) => `${job.key}/${step.name}`)),
    })
  }
  return slices
}

function slicesOf(home: string, runId: string, job: JobView, flags: Flags): readonly LogSlice[] {
  const path = jobLogPath(home, runId, job)
  const whole = { job, path, start: 0 }
  if (flags.step === undefined && flags.failed !== true) return [whole]
  const isWanted = (step: StepView): boolean =>
    (flags.step === undefined || [String(step.number), step.id, step.name].includes(flags.step)) &&
    (flags.failed !== true || step.outcome === 'failure' || step.conclusion === 'failure')
  return job.steps
    .filter((step) => isWanted(step) && step.logStart !== undefined)
    .map((step) => ({
      job,
      step,
      path,
      start: step.logStart ?? 0,
      ...(step.logEnd === undefined ? {} : { end: step.logEnd }),
    }))
}
