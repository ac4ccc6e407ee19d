import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { attemptUnknown, flagInvalid, jobUnknown } from '#core/known/cli.ts'
import type { JobView, RunView, StepView } from '#core/view/model.ts'
import { viewDeployments, viewRun } from '#store/view.ts'
import type { Subject } from '#store/view.ts'
import type { CommandPage } from '../command.ts'
import { followLog } from '../follow-log.ts'
import type { FollowFlags } from '../follow-log.ts'
import { jobLogPath, printLog, sliceOfLines } from '../job-log.ts'
import type { LogSlice } from '../job-log.ts'
import { isJobWanted, isStepWanted } from '../log-filter.ts'
import { findSubject, readFilledHome } from '../open-home.ts'
import { parseCount, parseLineRange } from '../pairs.ts'
import type { LineRange } from '../pairs.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { Session } from '../session.ts'

interface Flags extends FollowFlags {
  readonly follow?: boolean
  readonly exitStatus?: boolean
  readonly attempt?: number
  readonly lines?: LineRange
}

export const page: CommandPage = {
  description:
    'Shows the log of a run: of all its jobs, of one job, or of one step. A run is named by its id, the first characters of it, its number, or "latest": in a repository the newest run of its application, elsewhere of the whole state home. With -f it goes on until the run has ended; Ctrl-C stops watching, never the run.',
  examples: [
    { command: 'shipway logs latest', purpose: 'the whole log of the latest run' },
    { command: 'shipway logs 12 --failed', purpose: 'only the steps that failed in run #12' },
    { command: 'shipway logs latest --job test --tail 50', purpose: 'the end of one job' },
    { command: 'shipway logs 12 --job test --lines 5000-5050', purpose: 'some lines of a long log' },
    { command: 'shipway logs 12 --attempt 1', purpose: 'what the first attempt of run #12 said' },
    { command: 'shipway logs -f latest', purpose: 'watch a run' },
    {
      command: 'shipway logs -f latest --job test --exit-status',
      purpose: 'wait for a run in a script, watch one job',
    },
  ],
  exits: [0, 1, 2, 8, 130, 143],
  define: (command, act) => {
    command
      .argument('[run]', 'id, first characters of an id, number or "latest"', 'latest')
      .option('--job <id>', 'only this job: its id, key or name')
      .option('--attempt <n>', 'of an earlier attempt of the run: 1 is the first', parseCount('--attempt'))
      .option('--step <name>', 'only this step: its number, id or name')
      .option('--tail <n>', 'only the last lines of each job', parseCount('--tail'))
      .option('--lines <range>', 'only these lines of each job or step: 20-40, 20- or 20', parseLineRange('--lines'))
      .option('--timestamps', 'the time in front of each line')
      .option('--failed', 'only steps that failed')
      .option('-f, --follow', 'go on until the run has ended')
      .option('--exit-status', 'end with 1 when the run is red, with 8 when it waits')
      .option('--no-logs', 'with -f: changes of state only, one line each')
      .action(act(logs))
  },
}

async function logs(session: Session, wanted: string, flags: Flags): Promise<number> {
  const { subject, run } = await readFilledHome(session, async (q) => {
    const subject = await findSubject(session, q, wanted)
    return { subject, run: subject.kind === 'run' ? await viewRunOrAttempt(q, subject.id, flags.attempt) : undefined }
  })
  const answer = async (): Promise<number> => (flags.exitStatus === true ? exitStatus(session, subject) : 0)
  if (flags.job !== undefined && run !== undefined) wantedJobs(run, flags.job)
  if (run === undefined || (flags.follow === true && run.state !== 'done')) {
    if (flags.lines !== undefined)
      throw flagInvalid({ flag: '--lines', value: String(flags.lines.from), expected: 'a log without --follow' })
    return (await followLog(session, subject.id, run, flags)) ?? (await answer())
  }
  const slices = await selectSlices(session.home, run, flags)
  if (slices.length > 0 && !existsSync(join(session.home, homeLayout.run(run.id))))
    session.warn(
      `the files of ${run.id} are gone: \`shipway doctor --prune\`, or an agent that stays, has removed them`,
    )
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
    return answer()
  }
  for (const slice of slices) {
    await printLog(session, slice, {
      isLabelled: slices.length > 1,
      hasTimes: flags.timestamps === true,
      ...(flags.tail === undefined ? {} : { tail: flags.tail }),
    })
  }
  if (slices.length === 0) session.say(flags.failed === true ? 'No step failed.' : 'Nothing has been logged yet.')
  return answer()
}

async function viewRunOrAttempt(q: Query, id: string, attempt: number | undefined): Promise<RunView | undefined> {
  const run = await viewRun(q, id)
  if (attempt === undefined || run === undefined) return run
  const asked = await viewRun(q, id, attempt)
  if (asked === undefined) throw attemptUnknown({ run: id, attempt, latest: run.attempt })
  return asked
}

/** What the end of a run or deployment means for `--exit-status`. */
async function exitStatus(session: Session, subject: Subject): Promise<number> {
  return readFilledHome(session, async (q) => {
    const [deployment] = subject.kind === 'run' ? [] : await viewDeployments(q, { id: subject.id, limit: 1 })
    const of = subject.kind === 'run' ? await viewRun(q, subject.id) : deployment
    if (of?.state !== 'done') return 8
    return of.conclusion === 'success' ? 0 : 1
  })
}

/** A part of a log, and what it is of. */
interface Slice extends LogSlice {
  readonly job: JobView
  readonly step?: StepView
}

async function selectSlices(home: string, run: RunView, flags: Flags): Promise<readonly Slice[]> {
  const jobs = wantedJobs(run, flags.job)
  const slices = jobs.filter((job) => job.attempt > 0).flatMap((job) => slicesOf(home, run.id, job, flags))
  if (slices.length === 0 && flags.step !== undefined) {
    throw jobUnknown({
      run: run.id,
      job: flags.step,
      known: jobs.flatMap((job) => job.steps.map((step) => `${job.key}/${step.name}`)),
    })
  }
  const { lines } = flags
  return lines === undefined ? slices : Promise.all(slices.map((slice) => sliceOfLines(slice, lines)))
}

function wantedJobs(run: RunView, job: string | undefined): readonly JobView[] {
  const jobs = run.jobs.filter((one) => isJobWanted(job === undefined ? {} : { job }, one))
  if (jobs.length === 0 && job !== undefined)
    throw jobUnknown({ run: run.id, job, known: run.jobs.map(({ key }) => key) })
  return jobs
}

function slicesOf(home: string, runId: string, job: JobView, flags: Flags): readonly Slice[] {
  const path = jobLogPath(home, runId, job)
  const whole = { name: job.name, job, path, start: 0 }
  if (flags.step === undefined && flags.failed !== true) return [whole]
  return job.steps
    .filter((step) => isStepWanted(flags, step) && step.logStart !== undefined)
    .map((step) => ({
      name: job.name,
      job,
      step,
      path,
      start: step.logStart ?? 0,
      only: step.number,
      ...(step.logEnd === undefined ? {} : { end: step.logEnd }),
    }))
}
