import { decide } from '#core/run/decide.ts'
import type { RunInput } from '#core/run/decide.ts'
import type { Conclusion, JobResult } from '#core/run/job-order.ts'
import { planRerun } from '#core/run/rerun.ts'
import type { RerunScope } from '#core/run/rerun.ts'
import { applyWrites, buildRunState, initialJobs } from '#core/run/state.ts'
import type { JobState, RunDocument, RunEffect, RunState, RunWrite } from '#core/run/state.ts'
import type { JobModel, WorkflowModel } from '#core/workflow/model.ts'

const here = { line: 1, column: 1 }

export function job(id: string, rest: Partial<JobModel> = {}): JobModel {
  const runsOn = rest.uses === undefined ? { runsOn: 'ubuntu-latest' } : {}
  return { id, needs: [], if: 'success()', hasIf: false, ...runsOn, steps: [], position: here, ...rest }
}

/** A workflow that may be called, at the path that `uses: ./<file>` names. */
export function callable(
  file: string,
  jobs: readonly JobModel[],
  rest: { readonly call?: Partial<WorkflowModel['triggers'][number]> } & Partial<WorkflowModel> = {},
): WorkflowModel {
  const { call, ...more } = rest
  return { file, name: file, triggers: [{ event: 'workflow_call', ...call }], jobs, ...more }
}

export function documentOf(
  jobs: readonly JobModel[],
  calls: readonly WorkflowModel[] = [],
  rest: Partial<RunDocument> = {},
): RunDocument {
  return {
    workflow: { file: 'ci.yml', name: 'CI', triggers: [], jobs },
    calls: Object.fromEntries(calls.map((called) => [called.file, called])),
    github: {},
    inputs: {},
    vars: {},
    env: {},
    secretNames: [],
    platforms: {},
    repository: '/repo',
    dirty: false,
    ...rest,
  }
}

/** A run that is driven by inputs as the engine does it: decide, then apply. */
export class DrivenRun {
  readonly state: RunState
  readonly effects: RunEffect[] = []
  readonly writes: RunWrite[] = []

  constructor(document: RunDocument, jobs: readonly JobState[] = initialJobs(document)) {
    this.state = buildRunState({ id: 'run_1', ticket: 'tk_1', state: 'running' }, document, jobs)
  }

  /** The next attempt of this run, which is done, begun. */
  rerun(scope: RerunScope, attempt = 2): DrivenRun {
    const plan = planRerun(this.state, scope, attempt)
    const kept = [...this.state.jobs.values()].filter(({ key }) => !plan.removed.includes(key))
    return new DrivenRun(this.state.document, [...kept, ...plan.jobs]).start()
  }

  input(input: RunInput): this {
    const { writes, effects } = decide(this.state, input)
    applyWrites(this.state, writes)
    this.writes.push(...writes)
    this.effects.push(...effects)
    return this
  }

  start(): this {
    return this.input({ kind: 'start' })
  }

  claim(key: string): this {
    return this.input({ kind: 'claimed', key, attempt: (this.state.jobs.get(key)?.attempt ?? 0) + 1 })
  }

  finish(key: string, conclusion: Conclusion = 'success', outputs: JobResult['outputs'] = {}): this {
    const attempt = this.state.jobs.get(key)?.attempt ?? 0
    return this.input({ kind: 'finished', key, attempt, result: { conclusion, outputs, annotations: [] } })
  }

  get states(): Record<string, string> {
    return Object.fromEntries([...this.state.jobs].map(([key, { state, conclusion }]) => [key, conclusion ?? state]))
  }
}
