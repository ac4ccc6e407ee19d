import { renderDuration } from '#core/view/duration.ts'
import { belowCallers } from '#core/view/call-order.ts'
import type { DeploymentSummary, JobView, RunView, StepView } from '#core/view/model.ts'
import { missesRelease, unmetRefusals } from '#core/view/missing-release.ts'
import { shortDigest, shortRef, shortVersion } from '#core/view/name.ts'
import { receiptSummary } from '#core/view/receipt.ts'
import { displayWidth } from '../display-width.ts'
import type { Palette } from '../palette.ts'
import { deploymentMark, mark, verbOf } from './mark.ts'
import { renderTail } from './step-log.ts'

/** The last lines of a failed step's log, as far as they could be read. */
export interface FailureTail {
  readonly job: JobView
  readonly step: StepView
  readonly lines: readonly string[]
}

export interface EndingChoice {
  /** Whoever reads it has just read, line by line, how each job ended. */
  readonly isBrief?: boolean
  /** Paths of the summaries that jobs have written, in the order of the jobs. */
  readonly summaries?: readonly string[]
}

/** Summaries that are named one by one; the rest is counted. */
const summariesMax = 3

/**
 * What stands at the end of a run: how each job ended, what failed and its last lines, what was sealed, where to look, what to do
 * next. The last lines matter most.
 */
export function renderRunEnding(
  run: RunView,
  tails: readonly FailureTail[],
  palette: Palette,
  { isBrief = false, summaries = [] }: EndingChoice = {},
): string {
  const { paint } = palette
  const nameWidth = Math.min(40, Math.max(0, ...run.jobs.map((job) => displayWidth(job.name))))
  const jobs = belowCallers(run.jobs.toSorted((a, b) => (a.startedAt ?? Infinity) - (b.startedAt ?? Infinity) || 0))
  const lines = ['', headline(run, palette)]
  if (!isBrief) lines.push(...jobs.map((job) => `  ${jobLine(job, nameWidth, palette)}`))
  for (const tail of tails) {
    lines.push('', `${paint('bold', `${tail.job.name} › ${palette.foreign(tail.step.name)}`)}, last lines:`)
    lines.push(...renderTail(tail.lines, palette).map((line) => `  ${paint('dim', '│')} ${line}`))
  }
  const [release] = run.releases
  if (release !== undefined && !isBrief)
    lines.push(
      '',
      `${mark('success', paint)} release ${paint('bold', shortVersion(release.version))} sealed (${shortDigest(release.id)})`,
    )
  if (run.unreleased !== undefined && missesRelease(run))
    lines.push(
      '',
      `${mark('failure', paint)} ${shortRef(run.ref)} was tagged and is not released: ${run.unreleased.message}`,
    )
  else if (run.unreleased !== undefined && !isBrief)
    lines.push('', `${paint('yellow', '!')} no release: ${run.unreleased.message}`)
  const said = tails.flatMap(({ lines }) => lines)
  lines.push(...run.deployments.map((deployment) => deploymentLine(deployment, said, palette)))
  lines.push(
    ...(run.refusals ?? []).map((refusal) => {
      const symbol = unmetRefusals(run).includes(refusal) ? mark('failure', paint) : paint('yellow', '!')
      return `${symbol} ${refusal.environment} does not take it: ${refusal.reason.message}`
    }),
  )
  if (!(isBrief && run.state === 'waiting')) lines.push(...nextSteps(run, summaries, palette))
  return `${lines.join('\n')}\n`
}

/** `✓ run #12 ci passed in 41s`. */
export function headline(run: RunView, palette: Palette): string {
  const took =
    run.finishedAt === undefined ? '' : ` in ${renderDuration(run.finishedAt - (run.startedAt ?? run.createdAt))}`
  const why = run.reason === undefined ? '' : `: ${run.reason.message}`
  if (run.state === 'done') {
    const conclusion = run.conclusion ?? 'failure'
    return `${mark(conclusion, palette.paint)} ${palette.paint('bold', `run #${run.number}`)} ${run.workflow} ${verbOf[conclusion]}${took}${why}`
  }
  const word = run.state === 'waiting' ? `${palette.paint('yellow', '⏳')} ` : ''
  return `${word}${palette.paint('bold', `run #${run.number}`)} ${run.workflow} ${run.state === 'waiting' ? 'waits' : 'is still running'}${why}`
}

function jobLine(job: JobView, nameWidth: number, { paint }: Palette): string {
  const name = `${job.name}${' '.repeat(Math.max(0, nameWidth - displayWidth(job.name)))}`
  const took =
    job.startedAt === undefined || job.finishedAt === undefined ? '' : renderDuration(job.finishedAt - job.startedAt)
  const why = reasonOf(job) ?? (job.state === 'done' || job.state === 'leased' ? '' : job.state)
  const symbol = job.conclusion === undefined ? paint('yellow', '⏳') : mark(job.conclusion, paint)
  const where = job.environmentUrl === undefined ? '' : `→ ${job.environmentUrl}  `
  return `${symbol} ${name}  ${took.padStart(7)}  ${where}${why}`.trimEnd()
}

/** The last lines below tell what the failed step said: here it is enough to name the step. */
function reasonOf({ reason, steps }: JobView): string | undefined {
  const said = steps.find((step) => step.conclusion === 'failure')?.reason
  if (reason === undefined || said === undefined || !reason.message.endsWith(`: ${said}`)) return reason?.message
  return `${reason.message.slice(0, -said.length - 2)}.`
}

/** How a deployment ended or for what it waits; `said` are lines above that may tell the reason already. */
export function deploymentLine(deployment: DeploymentSummary, said: readonly string[], { paint }: Palette): string {
  const what = `${shortVersion(deployment.version)} → ${deployment.environment}`
  const { message = '' } = deployment.reason ?? {}
  const why = message === '' || said.some((line) => line.includes(message)) ? '' : `: ${message}`
  if (deployment.state !== 'done')
    return `${paint('yellow', '⏳')} ${what} ${deployment.reason === undefined ? deployment.state : `waits${why}`}`
  const conclusion = deployment.conclusion ?? 'failure'
  const ending = conclusion === 'success' ? '' : `: ${conclusion}`
  return `${deploymentMark(conclusion, paint)} ${what}${ending}${tookAndReceipt(deployment)}${why}`
}

/** ` in 0.8s · 214 requests, 0 failed · 3 files, 12 kB sent`. */
export function tookAndReceipt(deployment: DeploymentSummary): string {
  const { receipt, finishedAt, startedAt, createdAt } = deployment
  const took = finishedAt === undefined ? '' : ` in ${renderDuration(finishedAt - (startedAt ?? createdAt))}`
  const proved = receipt === undefined ? '' : receiptSummary(receipt)
  return proved === '' ? took : `${took} · ${proved}`
}

/** Where to look and what to type: only what the state of the run calls for. */
function nextSteps(run: RunView, summaries: readonly string[], { paint }: Palette): readonly string[] {
  const steps: string[] = []
  const told = summaries.slice(0, summariesMax).map((path) => `summary: ${path}`)
  if (summaries.length > summariesMax) told.push(`summary: … and ${summaries.length - summariesMax} more beside them`)
  const red = run.jobs.filter((job) => job.conclusion === 'failure')
  // Of a called workflow the job that failed has a log, the job that calls it has none.
  const failed = red.find((job) => job.steps.length > 0) ?? red[0]
  if (failed !== undefined && failed.steps.length > 0) steps.push(`logs:  shipway logs ${run.id} --job ${failed.key}`)
  // A job that could not begin has no log, and knows what to do.
  const unmet = unmetRefusals(run).flatMap(({ reason }) => reason.hint ?? [])
  const missed = missesRelease(run) ? [run.unreleased?.hint ?? [], ...unmet].flat() : unmet
  const cures = new Set([...red.flatMap(({ reason }) => reason?.hint ?? []), ...missed])
  steps.push(...[...cures].map((cure) => `fix:   ${cure}`))
  if (run.conclusion === 'failure')
    steps.push(`why:   shipway why ${run.id}`, `again: shipway rerun ${run.id} --failed`)
  for (const deployment of run.deployments.filter((one) => one.state === 'waiting')) {
    steps.push(`next:  ${deployment.reason?.hint ?? `shipway why ${deployment.id}`}`)
  }
  if (run.state === 'waiting' && steps.length === 0) steps.push(`next:  ${run.reason?.hint ?? `shipway why ${run.id}`}`)
  const all = [...told, ...steps]
  return all.length === 0 ? [] : ['', ...all.map((step) => paint('dim', step))]
}
