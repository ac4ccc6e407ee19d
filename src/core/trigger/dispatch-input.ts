import { inputsInvalid } from '#core/known/workflow.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { nearestName } from '#core/project/nearest.ts'
import { toText } from '#core/expression/text.ts'
import type { InputModel, WorkflowModel } from '#core/workflow/model.ts'

/** Inputs of one `workflow_dispatch`, as GitHub allows (actions-semantics 129). */
export const dispatchInputsMax = 25
/** Characters of all of them together. */
const inputsLengthMax = 65_535

/**
 * The `inputs` context of a run started by hand: given texts checked against the declarations and typed, defaults
 * filled in. `environments`: those of the project, where it has any. Throws `INPUTS_INVALID` with every problem; a workflow without
 * `workflow_dispatch` takes no inputs at all.
 */
export function dispatchInputs(
  workflow: Pick<WorkflowModel, 'name' | 'triggers'>,
  given: Readonly<Record<string, string>>,
  environments?: readonly string[],
): JsonObject {
  const declared = workflow.triggers.find((trigger) => trigger.event === 'workflow_dispatch')?.inputs ?? {}
  const names = Object.keys(declared)
  const problems = [...unknownInputs(Object.keys(given), names)]
  if (Object.keys(given).length > dispatchInputsMax)
    problems.push(`${Object.keys(given).length} inputs were given; ${dispatchInputsMax} are allowed`)
  const length = Object.entries(given).reduce((sum, [name, text]) => sum + name.length + text.length, 0)
  if (length > inputsLengthMax)
    problems.push(`the inputs have ${length} characters together; ${inputsLengthMax} are allowed`)
  const values = new Map<string, Json>()
  for (const [name, input] of Object.entries(declared)) {
    const text = textGiven(given, name)
    const { value, problem } = typedInput(name, input, { text, environments })
    if (problem === undefined) values.set(name, value)
    else problems.push(problem)
  }
  if (problems.length > 0) throw inputsInvalid({ workflow: workflow.name, problems, known: names })
  return Object.fromEntries(values)
}

/** The inputs as `github.event.inputs` has them: all of them, as texts. */
export function inputTexts(inputs: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, toText(value)]))
}

function* unknownInputs(given: readonly string[], declared: readonly string[]): Generator<string> {
  const known = new Set(declared.map((name) => name.toLowerCase()))
  for (const name of given) {
    if (known.has(name.toLowerCase())) continue
    const nearest = nearestName(name, declared)
    yield `"${name}" is not an input${nearest === undefined ? '' : ` (did you mean "${nearest}"?)`}`
  }
}

/** Names of inputs are found without case. */
function textGiven(given: Readonly<Record<string, string>>, name: string): string | undefined {
  const key = Object.keys(given).find((candidate) => candidate.toLowerCase() === name.toLowerCase())
  return key === undefined ? undefined : given[key]
}

interface TypedInput {
  readonly value: Json
  readonly problem?: string
}

interface Given {
  readonly text: string | undefined
  readonly environments: readonly string[] | undefined
}

function typedInput(name: string, input: InputModel, { text, environments }: Given): TypedInput {
  const problem = (what: string): TypedInput => ({ value: null, problem: `"${name}" ${what}` })
  if (text === undefined && input.default !== undefined)
    return typed(input, { text: toText(input.default), environments }, problem)
  if (input.required && (text === undefined || text === '')) return problem('is required')
  if (text !== undefined) return typed(input, { text, environments }, problem)
  return { value: input.type === 'boolean' ? false : input.type === 'number' ? 0 : '' }
}

function typed(
  input: InputModel,
  { text, environments }: { readonly text: string; readonly environments: readonly string[] | undefined },
  problem: (what: string) => TypedInput,
): TypedInput {
  switch (input.type) {
    case 'boolean':
      if (text === 'true' || text === 'false') return { value: text === 'true' }
      return problem(`must be true or false, not "${text}"`)
    case 'number': {
      const number = Number(text)
      if (text.trim() !== '' && Number.isFinite(number)) return { value: number }
      return problem(`must be a number, not "${text}"`)
    }
    case 'choice':
      if (input.options === undefined || input.options.includes(text)) return { value: text }
      return problem(`must be one of ${input.options.join(', ')}, not "${text}"`)
    case 'environment':
      if (text === '' || environments === undefined || environments.includes(text)) return { value: text }
      return problem(`must be an environment (${environments.join(', ') || 'there is none'}), not "${text}"`)
    case 'string':
      return { value: text }
  }
}
