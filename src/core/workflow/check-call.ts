import type { JobModel, Template, TriggerModel, WorkflowModel } from './model.ts'
import { expressionOf, pairsOf } from '#core/expression/template.ts'
import { nearestName } from '#core/project/nearest.ts'
import type { Report } from './report.ts'

/** The trigger that makes a workflow callable; undefined when it cannot be called. */
export function callTrigger(workflow: WorkflowModel): TriggerModel | undefined {
  return workflow.triggers.find(({ event }) => event === 'workflow_call')
}

/**
 * What can be said about a call once both files are known: inputs and secrets that are missing, not declared, or of a wrong
 * type. The sentences are those of GitHub (`languageservices job/inputs.js`, `secrets.js`).
 */
export function checkCall(job: JobModel, called: WorkflowModel, report: Report): void {
  const { places } = job
  const trigger = callTrigger(called)
  if (places === undefined) return
  if (trigger === undefined) {
    report(
      places.uses,
      'CALL_INVALID',
      'workflow_call key is not defined in the referenced workflow.',
      `Add "workflow_call:" below "on:" in ${called.file}.`,
    )
    return
  }
  checkInputs(job, trigger, report)
  checkSecrets(job, trigger, report)
  const group = fixedGroup(job.concurrency)
  if (group !== undefined && group === fixedGroup(called.concurrency)) {
    report(
      places.uses,
      'CALL_INVALID',
      `The job and the workflow that it calls have the same concurrency group "${group}": each would wait for the other.`,
      'Give one of them another group.',
    )
  }
}

function checkInputs(job: JobModel, { inputs = {} }: TriggerModel, report: Report): void {
  const { places } = job
  if (places === undefined) return
  const given = new Map((pairsOf(job.with ?? {}) ?? []).map(([key, value]) => [lower(key), value]))
  for (const [name, { required, type }] of Object.entries(inputs)) {
    const value = given.get(name.toLowerCase())
    if (value === undefined && required)
      report(places.uses, 'CALL_INVALID', `Input ${name} is required, but not provided while calling.`)
    const problem = value === undefined ? undefined : typeProblem(value, type)
    if (problem !== undefined)
      report(rangeOf(places.with, name) ?? places.uses, 'CALL_INVALID', `Input ${name} ${problem}`)
  }
  const declared = new Set(Object.keys(inputs).map((name) => name.toLowerCase()))
  for (const [name, range] of Object.entries(places.with)) {
    if (declared.has(name.toLowerCase())) continue
    const near = nearestName(name, Object.keys(inputs))
    const hint = `${near === undefined ? '' : `Did you mean "${near}"? `}${known(inputs)}`
    report(range, 'CALL_INVALID', `Invalid input, ${name} is not defined in the referenced workflow.`, hint)
  }
}

/**
 * A secret that is not declared is an error. Where the called workflow declares inputs or outputs and no secret at all, it is only a warning: GitHub
 * refuses that too, but act runs it, so people have such files; the secret reaches only jobs that ask for it.
 */
function checkSecrets(job: JobModel, trigger: TriggerModel, report: Report): void {
  const { secrets = {}, inputs, outputs } = trigger
  const { places } = job
  if (places === undefined || job.secrets === 'inherit') return
  const given = new Set(Object.keys(places.secrets).map((name) => name.toLowerCase()))
  for (const [name, { required }] of Object.entries(secrets)) {
    if (required && !given.has(name.toLowerCase()))
      report(places.uses, 'CALL_INVALID', `Secret ${name} is required, but not provided while calling.`)
  }
  const declared = new Set(Object.keys(secrets).map((name) => name.toLowerCase()))
  const isForgotten = trigger.secrets === undefined && (inputs !== undefined || outputs !== undefined)
  for (const [name, range] of Object.entries(places.secrets)) {
    if (declared.has(name.toLowerCase())) continue
    const message = `Invalid secret, ${name} is not defined in the referenced workflow.`
    report(range, 'CALL_INVALID', message, known(secrets), isForgotten ? 'warning' : 'error')
  }
}

/** Only of a value without expressions: the others are checked when the job is planned. */
function typeProblem(value: Template, type: string): string | undefined {
  if (expressionOf(value) !== undefined || (type !== 'boolean' && type !== 'number')) return undefined
  return typeof value === type ? undefined : `must be a ${type}, but it is "${String(value)}".`
}

function fixedGroup(concurrency: Template | undefined): string | undefined {
  const group = pairsOf(concurrency ?? null)?.find(([key]) => key === 'group')?.[1] ?? concurrency
  return typeof group === 'string' ? group.toLowerCase() : undefined
}

function lower(key: Template): string {
  return typeof key === 'string' ? key.toLowerCase() : ''
}

function rangeOf<T>(ranges: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.entries(ranges).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]
}

function known(declared: Readonly<Record<string, unknown>>): string {
  const names = Object.keys(declared)
  return names.length === 0 ? 'It declares none.' : `Declared: ${names.join(', ')}.`
}
