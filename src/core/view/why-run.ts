import type { Annotation } from '#core/run/job-order.ts'
import { missesRelease } from './missing-release.ts'
import type { EnvironmentView, JobView, RunView, StepView } from './model.ts'
import { item, red } from './why-answer.ts'
import type { StepTail, WhyAnswer, WhyItem } from './why-answer.ts'
import { deploymentItems, environmentOf } from './why-deployment.ts'

/** Annotations of one step that are told; a compiler can make thousands. */
const annotationsMax = 10

/**
 * Why a run waits or is red: first what failed by itself, with what its tools and its log said last, then what waits, the deployments
 * that it asked for, and in one line what did not run because of it.
 */
export function whyRun(
  run: RunView,
  environments: readonly EnvironmentView[],
  tails: readonly StepTail[] = [],
): WhyAnswer {
  const all = run.jobs.flatMap((job) => jobItems(run, job, tails))
  // While it waits, the job that waits says more than the run; what ended the run as a whole is said once, by the run.
  const jobs = run.state === 'done' ? all.filter(({ message }) => message !== run.reason?.message) : all
  const isExplained = jobs.some((one) => one.state === 'red' || one.message === run.reason?.message)
  const own =
    run.reason === undefined || isExplained
      ? []
      : [item(run.state === 'done' ? (run.conclusion === 'success' ? 'note' : 'red') : 'waiting', 'run', run.reason)]
  const deployments = run.deployments
    .flatMap((deployment) => deploymentItems(deployment, environmentOf(environments, deployment), []))
    .filter((one) => !jobs.some(({ message }) => message.includes(one.message)))
  const after = [
    ...(run.unreleased === undefined ? [] : [item(missesRelease(run) ? 'red' : 'note', 'release', run.unreleased)]),
    ...(run.refusals ?? []).map(({ environment, reason }) => red(environment, reason)),
  ]
  const order = { red: 0, waiting: 1, note: 2 } as const
  return {
    subject: `run #${run.number} ${run.workflow} (${run.id})`,
    state: run.conclusion ?? run.state,
    items: [
      ...[...own, ...jobs, ...deployments, ...after].toSorted((a, b) => order[a.state] - order[b.state]),
      ...skippedItem(run.jobs),
    ],
  }
}

/** What one job has to say; nothing when it is green, or skipped: all of these are told together. */
function jobItems(run: RunView, job: JobView, tails: readonly StepTail[]): readonly WhyItem[] {
  const { reason, conclusion } = job
  const about = `job ${job.name}`
  // The failed job of the called workflow says more.
  if (reason?.code === 'CALL_NOT_GREEN') return []
  if (conclusion === 'failure') {
    const failed = job.steps.filter((step) => step.conclusion === 'failure')
    if (failed.length > 0) return failed.map((step) => failedStep(run, job, step, tails))
    return reason === undefined ? [] : [{ ...red(about, reason), ...annotationsOf(job, undefined) }]
  }
  if (reason === undefined || conclusion === 'success' || conclusion === 'skipped') return []
  return [item(conclusion === undefined ? 'waiting' : 'note', about, reason)]
}

function failedStep(run: RunView, job: JobView, step: StepView, tails: readonly StepTail[]): WhyItem {
  const said = annotationsOf(job, step.number)
  const repeated = new Set(
    [step.reason, ...errorsOf(job, step.number).map(({ message }) => message)].map((text) => `##[error]${text}`),
  )
  const tail = tails.find((one) => one.jobKey === job.key && one.step === step.number)
  // In "Set up job" the error's own lines stand below it, and its sentence may end with one of them.
  const isSaid = (line: string): boolean =>
    repeated.has(line) || (step.number === 0 && line !== '' && step.reason?.endsWith(`${line}.`) === true)
  const lastLines = (tail?.lines ?? []).filter((line) => !isSaid(line))
  return {
    ...red(`job ${job.name}`, {
      code: 'STEP_FAILED',
      message: `Step "${step.name}": ${step.reason ?? 'it failed.'}`,
      hint: `shipway logs ${run.id} --job ${job.key} --step ${step.number}`,
    }),
    ...said,
    ...(lastLines.length === 0 ? {} : { lastLines }),
  }
}

/** Errors that a step, or any of the job, annotated. */
function errorsOf(job: JobView, step: number | undefined): readonly Annotation[] {
  return job.annotations.filter((one) => one.level === 'error' && (step === undefined || one.step === step))
}

function annotationsOf(job: JobView, step: number | undefined): Pick<WhyItem, 'annotations'> {
  const reason = job.steps.find(({ number }) => number === step)?.reason
  const errors = errorsOf(job, step).filter(({ message }) => message !== reason)
  const texts = errors.slice(0, annotationsMax).map(({ file, line, message }) => {
    const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `
    return `${place}${message}`
  })
  const more = errors.length - texts.length
  if (texts.length === 0) return {}
  return { annotations: more === 0 ? texts : [...texts, `and ${more} more`] }
}

/** One skipped job tells its own reason; several are one line, because the reason is almost always the same job. */
function skippedItem(jobs: readonly JobView[]): readonly WhyItem[] {
  const skipped = jobs.filter((job) => job.conclusion === 'skipped')
  const [only] = skipped
  if (only === undefined) return []
  if (skipped.length === 1) return only.reason === undefined ? [] : [item('note', `job ${only.name}`, only.reason)]
  const names = skipped.map(({ name }) => name).join(', ')
  return [item('note', 'jobs', { code: 'JOB_SKIPPED', message: `${skipped.length} did not run: ${names}.` })]
}
