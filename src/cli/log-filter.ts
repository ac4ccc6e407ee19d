import { Buffer } from 'node:buffer'
import { dottedJob, isJobNamed, plainJobId } from '#core/run/place.ts'
import type { JobView, StepView } from '#core/view/model.ts'
import type { FollowItem } from '#ports/agent-client.ts'

/** Which part of a run's log is wanted. */
export interface LogChoice {
  /** Id, key or name of a job. */
  readonly job?: string
  /** Number, id or name of a step. */
  readonly step?: string
  /** Only steps that failed. */
  readonly failed?: boolean
}

/** A job that calls a workflow stands for all jobs of the call; `caller / build` and `caller/build` name one of them. */
export function isJobWanted({ job }: LogChoice, of: Pick<JobView, 'key' | 'jobId' | 'name'>): boolean {
  if (job === undefined || isJobNamed(job, of)) return true
  const inside = `${dottedJob(job)}.`
  return [of.key, plainJobId(of.jobId)].some((own) => own.startsWith(inside))
}

export function isStepWanted(
  { step, failed }: LogChoice,
  of: Pick<StepView, 'number' | 'id' | 'name' | 'outcome' | 'conclusion'>,
): boolean {
  if (failed === true && of.outcome !== 'failure' && of.conclusion !== 'failure') return false
  return step === undefined || [String(of.number), of.id, of.name].includes(step)
}

export interface LogFilterStart {
  /** Jobs that the store knows already: the legs of a matrix share the id in the workflow file. */
  readonly jobs: readonly Pick<JobView, 'key' | 'jobId' | 'name'>[]
  /** `key.attempt` → byte of its log from which lines are wanted: what came before was there already. */
  readonly offsets?: ReadonlyMap<string, number>
}

/**
 * Lets through what a choice means: of the wanted jobs and steps the lines as they come. Whether a step fails is known at its end:
 * with `failed` no line passes, only the ends of such steps, and the caller reads their lines from the file.
 */
export function logFilter(choice: LogChoice, start: LogFilterStart): (item: FollowItem) => FollowItem | undefined {
  const jobs = new Map(start.jobs.map((job) => [job.key, job]))
  const steps = new Map<string, Pick<StepView, 'number' | 'id' | 'name'>>()
  const read = new Map<string, number>()
  const wantsAll = choice.job === undefined && choice.step === undefined && choice.failed !== true

  const isWanted = (key: string): boolean => {
    const job = jobs.get(key) ?? { key, jobId: key, name: key }
    return isJobWanted(choice, job)
  }
  const logItem = (item: Extract<FollowItem, { kind: 'log' }>): FollowItem | undefined => {
    const text = cutStart(item, start.offsets, read)
    if (text === '' || choice.failed === true || !isWanted(item.jobKey)) return undefined
    const step = steps.get(item.jobKey)
    if (choice.step !== undefined && (step === undefined || !isStepWanted(choice, step))) return undefined
    return { ...item, text }
  }

  return (item) => {
    if (item.kind === 'log') return logItem(item)
    const { event } = item.stored
    if (event.type === 'job.planned')
      for (const leg of event.legs) jobs.set(leg.key, { key: leg.key, jobId: event.job, name: leg.name })
    if (event.type === 'step.started') steps.set(event.key, event.step)
    if (wantsAll) return item
    if (event.type === 'step.started' || event.type === 'step.finished') {
      const isShown = choice.failed === true && event.type === 'step.started' ? false : isStepWanted(choice, event.step)
      return isWanted(event.key) && isShown ? item : undefined
    }
    if ('key' in event) return isWanted(event.key) ? item : undefined
    return event.type === 'run.created' || event.type === 'job.planned' || event.type === 'run.waiting'
      ? item
      : undefined
  }
}

/** The text of an item without what lies before the wanted byte of its log. */
function cutStart(
  { jobKey, attempt, text }: Extract<FollowItem, { kind: 'log' }>,
  offsets: ReadonlyMap<string, number> | undefined,
  read: Map<string, number>,
): string {
  const key = `${jobKey}.${attempt}`
  const from = offsets?.get(key)
  if (from === undefined) return text
  const before = read.get(key) ?? 0
  const bytes = Buffer.from(text)
  read.set(key, before + bytes.length)
  return before >= from ? text : bytes.subarray(Math.min(bytes.length, from - before)).toString('utf8')
}
