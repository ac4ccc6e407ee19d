import type { Json, JsonObject } from '#core/json.ts'
import { KnownError } from '#core/errors.ts'
import type { Scope } from '#core/expression/evaluate.ts'
import { evaluateTemplate, evaluateText, pairsOf } from '#core/expression/template.ts'
import { toText } from '#core/expression/text.ts'
import type { JobCall } from '#core/run/job-order.ts'
import { callTrigger } from '#core/workflow/check-call.ts'
import type { InputModel, JobModel, Template, WorkflowModel } from '#core/workflow/model.ts'
import { describeValue } from './coerce.ts'
import { evaluateConcurrency } from './concurrency.ts'
import { PlanProblem } from './problem.ts'

/**
 * What a leg of a calling job passes on: the inputs with the types that the called workflow declares (actions-semantics 119).
 * The scope is the job's, with `matrix` and `strategy`. Throws `PlanProblem` or what evaluating throws.
 */
export function planCall(job: JobModel, called: WorkflowModel, scope: Scope): JobCall {
  const declared = callTrigger(called)?.inputs ?? {}
  const given = new Map(
    (pairsOf(job.with ?? {}) ?? []).map(([key, value]) => [evaluateText(key, scope).toLowerCase(), value]),
  )
  const outer = { github: scope.contexts['github'] ?? {}, vars: scope.contexts['vars'] ?? {} }
  const inputs: Record<string, Json> = {}
  for (const [name, model] of Object.entries(declared)) {
    const written = given.get(name.toLowerCase())
    if (written !== undefined) inputs[name] = typed(name, model, evaluateTemplate(written, scope))
    else if (model.default === undefined) inputs[name] = emptyOf[model.type] ?? ''
    // A default may use the inputs above it.
    else inputs[name] = typed(name, model, evaluateTemplate(model.default, { contexts: { ...outer, inputs } }))
  }
  const concurrency = evaluateConcurrency(called.concurrency, { contexts: { ...outer, inputs } })
  const own = evaluateConcurrency(job.concurrency, scope)
  if (concurrency !== undefined && own?.group.toLowerCase() === concurrency.group.toLowerCase()) {
    throw new PlanProblem(
      `The concurrency group "${concurrency.group}" of the called workflow is also that of the job that calls it: each would wait for the other`,
    )
  }
  return { file: called.file, inputs, ...(concurrency === undefined ? {} : { concurrency }) }
}

const emptyOf: Partial<Record<InputModel['type'], Json>> = { boolean: false, number: 0, string: '' }

function typed(name: string, { type }: InputModel, value: Json): Json {
  if (type === 'boolean' || type === 'number') {
    if (typeof value === type) return value
    throw new PlanProblem(
      `The input "${name}" must be a ${type}, but it is ${describeValue(value)}; texts such as outputs become one with fromJSON()`,
    )
  }
  if (value !== null && typeof value === 'object')
    throw new PlanProblem(`The input "${name}" must be a text, but it is ${describeValue(value)}`)
  return toText(value)
}

/**
 * The secrets that a called workflow sees: those of the caller with `inherit`, else the named ones; none is empty text.
 * `GITHUB_TOKEN` is always there. The scope is that of the calling leg, without `secrets`.
 */
export function passSecrets(
  written: Template | undefined,
  scope: Scope,
  secrets: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (written === 'inherit') return secrets
  const passed = new Map(Object.entries(secrets).filter(([name]) => name.toUpperCase() === 'GITHUB_TOKEN'))
  const inner: Scope = { ...scope, contexts: { ...scope.contexts, secrets } }
  for (const [key, template] of pairsOf(written ?? {}) ?? []) {
    const value = evaluateText(template, inner)
    if (value !== '') passed.set(evaluateText(key, inner), value)
  }
  return Object.fromEntries(passed)
}

/** Required secrets of a called workflow that its caller does not have, or has only as an empty text. */
export function missingSecrets(called: WorkflowModel, available: readonly string[]): readonly string[] {
  const known = new Set(available.map((name) => name.toUpperCase()))
  return Object.entries(callTrigger(called)?.secrets ?? {})
    .filter(([name, { required }]) => required && !known.has(name.toUpperCase()))
    .map(([name]) => name)
}

/** What a caller sees as the outputs of a call. The scope holds `github`, `inputs`, `vars` and `jobs`; a problem is one sentence. */
export function evaluateCallOutputs(
  called: WorkflowModel,
  contexts: JsonObject,
): { readonly outputs: Readonly<Record<string, string>>; readonly problem?: string } {
  try {
    const values = Object.entries(callTrigger(called)?.outputs ?? {}).map(
      ([name, value]): readonly [string, string] => [name, evaluateText(value, { contexts })],
    )
    return { outputs: Object.fromEntries(values.filter(([, value]) => value !== '')) }
  } catch (error) {
    if (!(error instanceof KnownError)) throw error
    return { outputs: {}, problem: error.message }
  }
}
