import { builtInName } from '#core/action/built-in-name.ts'
import { isSelected, jobIdAt } from '#core/run/place.ts'
import { calledFile } from '#core/workflow/called-file.ts'
import type { JobModel, StepModel, WorkflowModel } from '#core/workflow/model.ts'
import { missingSecrets } from './call.ts'
import type { JobPlan } from './plan-workflow.ts'
import type { PlannedWorkflow } from './wanted-matrix.ts'

/** What jobs of a workflow ask for that certainly run when all before them is green. */
export interface CertainWork {
  /** Environments that jobs name, with the first job that does. */
  readonly jobs: ReadonlyMap<string, string>
  /** Environments that steps of `shipway/deploy` deploy to. */
  readonly deploys: ReadonlyMap<string, string>
  /** Artifacts that steps upload. */
  readonly uploads: ReadonlySet<string>
  /** Secrets that called workflows require and that nobody has given, with the first job that calls one. */
  readonly unpassed: ReadonlyMap<string, string>
}

interface Finding extends CertainWork {
  readonly jobs: Map<string, string>
  readonly deploys: Map<string, string>
  readonly uploads: Set<string>
  readonly unpassed: Map<string, string>
}

/**
 * What is known before the first job starts. A job whose condition reads what other jobs give, one that may fail (`continue-on-error`), and a step with
 * a condition are left out: they may never come to it. `secrets`: names of those that the run has.
 */
export function certainWork(planned: readonly PlannedWorkflow[], secrets: readonly string[]): CertainWork {
  const found: Finding = { jobs: new Map(), deploys: new Map(), uploads: new Set(), unpassed: new Map() }
  for (const { linked, plan, only } of planned)
    collect(plan.jobs, { planned: { linked, only }, workflow: linked.workflow, call: '', secrets, found })
  return found
}

interface Collecting {
  readonly planned: Pick<PlannedWorkflow, 'linked' | 'only'>
  readonly workflow: WorkflowModel
  readonly call: string
  /** Undefined where only the run can tell what is passed on. */
  readonly secrets: readonly string[] | undefined
  readonly found: Finding
}

function collect(jobs: readonly JobPlan[], collecting: Collecting): void {
  const { planned, workflow, call, found } = collecting
  for (const { id, decision, calls } of jobs) {
    const name = jobIdAt({ call, id })
    const model = workflow.jobs.find((job) => job.id === id)
    if (model === undefined || decision.kind !== 'legs' || !isSelected(planned.only, name)) continue
    const legs = decision.legs.filter((leg) => !leg.continueOnError)
    for (const { environment } of legs) if (environment !== undefined) note(found.jobs, environment.name, name)
    if (legs.length > 0) for (const step of model.steps) noteStep(found, step, name)
    const called = model.uses === undefined ? undefined : planned.linked.calls[calledFile(model.uses, workflow.file)]
    if (called === undefined || legs.length === 0) continue
    const secrets = passedOn(model, collecting.secrets)
    for (const missing of secrets === undefined ? [] : missingSecrets(called, secrets))
      note(found.unpassed, missing, name)
    collect(calls?.jobs ?? [], { ...collecting, workflow: called, call: name, secrets })
  }
}

/** A mapping is judged when the call starts: what its expressions make of the secrets is not known yet. */
function passedOn(
  { secrets: written }: JobModel,
  secrets: readonly string[] | undefined,
): readonly string[] | undefined {
  return written === 'inherit' ? secrets : undefined
}

function noteStep(found: Finding, { uses = '', with: given, if: condition }: StepModel, job: string): void {
  if (condition !== 'success()') return
  const action = builtInName(uses)
  const input = (key: string): string | undefined => {
    const value = typeof given === 'object' && given !== null ? Reflect.get(given, key) : undefined
    return typeof value === 'string' && !value.includes('${{') ? value : undefined
  }
  if (action === 'actions/upload-artifact') found.uploads.add(input('name') ?? 'artifact')
  // A release that it names brings its own configuration.
  const isOwn = action === 'shipway/deploy' && input('release') === undefined
  const environment = isOwn ? input('environment') : undefined
  if (environment !== undefined) note(found.deploys, environment, job)
}

function note(map: Map<string, string>, key: string, job: string): void {
  if (!map.has(key)) map.set(key, job)
}
