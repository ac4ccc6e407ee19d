import { toText } from '#core/expression/text.ts'
import type { JsonObject } from '#core/json.ts'
import { isSelected, jobIdAt } from '#core/run/place.ts'
import { isWantedLeg } from '#core/run/select-legs.ts'
import { calledFile } from '#core/workflow/called-file.ts'
import type { LinkedWorkflow } from '#core/workflow/link-calls.ts'
import type { JobModel, WorkflowModel } from '#core/workflow/model.ts'
import type { JobPlan, WorkflowPlan } from './plan-workflow.ts'

/** One `--matrix KEY:VALUE`. */
export interface WantedValue {
  readonly key: string
  readonly value: string
}

/** A workflow that answers to the event, what is planned for it, and the jobs that `--job` leaves (all when undefined). */
export interface PlannedWorkflow {
  readonly linked: LinkedWorkflow
  readonly plan: WorkflowPlan
  readonly only: readonly string[] | undefined
}

/** What `--matrix` asks for and nothing has. */
export interface UnmatchedMatrix {
  readonly missed: WantedValue
  /** Values of each key that any leg has, in the order in which they were met. */
  readonly known: Readonly<Record<string, readonly string[]>>
}

/**
 * The first value of `--matrix` that no leg of any job has, as far as that is certain before anything runs. Undefined when each has one, and also when a job
 * could still have it: its matrix or its condition depends on what other jobs give, or its condition leaves it out.
 */
export function findUnmatched(
  workflows: readonly PlannedWorkflow[],
  wanted: readonly WantedValue[],
): UnmatchedMatrix | undefined {
  if (wanted.length === 0) return undefined
  const legs: JsonObject[] = []
  for (const { linked, plan, only } of workflows) {
    const isKnown = collect(plan.jobs, { linked, workflow: linked.workflow, only, call: '', legs })
    if (!isKnown) return undefined
  }
  const left = legs.filter((leg) => isWantedLeg(leg, wanted))
  const missed = wanted.find(({ key, value }) => !left.some((leg) => key in leg && toText(leg[key] ?? null) === value))
  return missed === undefined ? undefined : { missed, known: valuesOf(legs) }
}

interface Collecting {
  readonly linked: LinkedWorkflow
  readonly workflow: WorkflowModel
  readonly only: readonly string[] | undefined
  readonly call: string
  /** Where the matrices go. */
  readonly legs: JsonObject[]
}

/** Whether all legs of the jobs are known. */
function collect(jobs: readonly JobPlan[], collecting: Collecting): boolean {
  const { linked, workflow, only, call, legs } = collecting
  return jobs.every(({ id, decision, calls }) => {
    const name = jobIdAt({ call, id })
    const model = workflow.jobs.find((job) => job.id === id)
    if (model === undefined || !isSelected(only, name) || !mayHaveLegs(model)) return true
    if (decision.kind !== 'legs') return false
    legs.push(...decision.legs.map(({ matrix }) => matrix))
    if (model.uses === undefined) return true
    const called = linked.calls[calledFile(model.uses, workflow.file)]
    if (called === undefined || calls === undefined) return false
    // Only what the first leg calls is planned; the inputs of another may make other legs of it.
    if (decision.legs.length > 1 && called.jobs.some(mayHaveLegs)) return false
    return collect(calls.jobs, { ...collecting, workflow: called, call: name })
  })
}

function mayHaveLegs({ strategy, uses }: JobModel): boolean {
  return strategy?.matrix !== undefined || uses !== undefined
}

/** A value that is no scalar, as `include` may bring, cannot be named on the command line. */
function valuesOf(legs: readonly JsonObject[]): Readonly<Record<string, readonly string[]>> {
  const known = new Map<string, Set<string>>()
  for (const [key, value] of legs.flatMap((leg) => Object.entries(leg))) {
    if (typeof value === 'object' && value !== null) continue
    known.set(key, (known.get(key) ?? new Set()).add(toText(value)))
  }
  return Object.fromEntries([...known].map(([key, values]) => [key, [...values]]))
}
