import { expect } from 'vitest'
import type { CallResult } from '../rig/shipway.ts'

/** What is to be true of a call of `shipway run --json`, as the data files say it. */
export interface RunFacts {
  /** Exit status; 0 when nothing is said. */
  readonly exit?: number
  /** Code of the error that the call ends with instead of a run. */
  readonly error?: string
  /** All jobs of the run by name, legs included. */
  readonly jobs?: Readonly<Record<string, JobFacts>>
  /** Annotations, each as `level file:line:column title: message`; all of them, in any order. */
  readonly annotations?: readonly string[]
  /** Texts that stand somewhere in what the call printed. */
  readonly says?: readonly string[]
  /** Texts that stand nowhere in it. */
  readonly never?: readonly string[]
  /** Members of the document of a dry run or an error, compared as far as given. */
  readonly document?: Readonly<Record<string, unknown>>
}

export interface JobFacts {
  /** `success` when nothing is said. */
  readonly conclusion?: string
  /** Outcomes of all steps, one word each: `success failure/success skipped`, the conclusion after `/` where it differs. */
  readonly steps?: string
  /** All outputs; none when nothing is said. */
  readonly outputs?: Readonly<Record<string, string>>
  /** Lines of the job's log, each as a whole, in this order; others may stand between them. */
  readonly says?: readonly string[]
  /** Lines that do not stand in the job's log. */
  readonly never?: readonly string[]
  /** Text that the reason holds. */
  readonly reason?: string
}

interface Step {
  readonly name: string
  readonly outcome: string
  readonly conclusion: string
}
interface Job {
  readonly name: string
  readonly conclusion: string
  readonly outputs: Readonly<Record<string, string>>
  readonly reason: { readonly message: string } | null
  readonly steps: readonly Step[]
}
interface Annotation {
  readonly level: string
  readonly message: string
  readonly title?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

/** Compares a call with what is to be true of it. */
export function checkRun(end: CallResult, facts: RunFacts): void {
  const context = `\n${end.stderr}\n${end.stdout}`
  const document = readDocument(end, context)
  expect(end.status, `exit status${context}`).toBe(facts.exit ?? 0)
  if (facts.error !== undefined) expect(document, context).toMatchObject({ error: { code: facts.error } })
  if (facts.document !== undefined) expect(document, context).toMatchObject(facts.document)
  if (facts.jobs !== undefined) checkJobs(document, end.stderr, facts.jobs)
  if (facts.annotations !== undefined) {
    const found = (document['annotations'] as readonly Annotation[]).map((one) => annotationLine(one))
    expect(found.toSorted(), `annotations${context}`).toEqual(facts.annotations.toSorted())
  }
  for (const text of facts.says ?? []) expect(end.stdout + end.stderr, context).toContain(text)
  for (const text of facts.never ?? []) expect(end.stdout + end.stderr, context).not.toContain(text)
}

/** Standard output holds exactly one document, whatever happened. */
function readDocument(end: CallResult, context: string): Readonly<Record<string, unknown>> {
  expect(end.stdout.trimEnd().split('\n'), `one document on standard output${context}`).toHaveLength(1)
  return JSON.parse(end.stdout) as Readonly<Record<string, unknown>>
}

function checkJobs(
  document: Readonly<Record<string, unknown>>,
  log: string,
  expected: Readonly<Record<string, JobFacts>>,
): void {
  const jobs = runsOf(document).flatMap((run) => run['jobs'] as readonly Job[])
  expect(jobs.map(({ name }) => name).toSorted()).toEqual(Object.keys(expected).toSorted())
  for (const job of jobs) checkJob(job, linesOf(log, job.name), expected[job.name] ?? {})
}

function checkJob(job: Job, lines: readonly string[], facts: JobFacts): void {
  const context = `job ${job.name}: ${JSON.stringify(job)}\n${lines.join('\n')}`
  expect(job.conclusion, context).toBe(facts.conclusion ?? 'success')
  expect(job.outputs, context).toEqual(facts.outputs ?? {})
  if (facts.steps !== undefined) expect(job.steps.map((step) => stepWord(step)).join(' '), context).toBe(facts.steps)
  if (facts.reason !== undefined) expect(job.reason?.message, context).toContain(facts.reason)
  let from = 0
  for (const text of facts.says ?? []) {
    const at = lines.indexOf(text, from)
    expect(at, `no line ${JSON.stringify(text)} from line ${from}\n${context}`).toBeGreaterThanOrEqual(from)
    from = at + 1
  }
  for (const text of facts.never ?? []) expect(lines, context).not.toContain(text)
}

/** A push may start several workflows: their documents are the items of one. */
function runsOf(document: Readonly<Record<string, unknown>>): readonly Readonly<Record<string, unknown>>[] {
  return document['kind'] === 'RunList' ? (document['items'] as readonly Record<string, unknown>[]) : [document]
}

function stepWord({ outcome, conclusion }: Step): string {
  return outcome === conclusion ? outcome : `${outcome}/${conclusion}`
}

/** The lines of one job in the live log, without its name. */
function linesOf(log: string, name: string): readonly string[] {
  const label = `${name} │ `
  return log
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:]+Z {2}/, ''))
    .filter((line) => line.startsWith(label))
    .map((line) => line.slice(label.length))
}

function annotationLine({ level, message, title, file, line, column }: Annotation): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return [level, place, title === undefined ? '' : `${title}:`, message].filter((part) => part !== '').join(' ')
}
