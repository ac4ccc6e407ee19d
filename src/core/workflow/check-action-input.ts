import type { Diagnostic, Range } from '#core/diagnostic.ts'
import { pairsOf } from '#core/expression/template.ts'
import { nearestName } from '#core/project/nearest.ts'
import type { ActionModel } from './action-model.ts'
import type { StepModel } from './model.ts'
import { reporter } from './report.ts'

/** Inputs that GitHub's runner reads itself, of actions that run in a container. */
const containerInputs: readonly string[] = ['args', 'entrypoint']

/**
 * What a step gives to an action whose file can be read: inputs that it does not have, required ones that are missing, and old ones. Warnings only, as
 * GitHub runs such a step all the same; inputs of actions have no type. `text` is the file of the step.
 */
export function checkActionInputs(
  step: StepModel,
  action: Pick<ActionModel, 'inputs' | 'runs'>,
  { file, text }: { readonly file: string; readonly text: string },
): readonly Diagnostic[] {
  const diagnostics: Diagnostic[] = []
  const report = reporter(file, diagnostics)
  const start: Range = { start: step.position, end: step.position }
  const given = (pairsOf(step.with ?? {}) ?? []).flatMap(([key]) => (typeof key === 'string' ? [key] : []))
  const names = Object.keys(action.inputs)
  const declared = new Map(Object.entries(action.inputs).map(([name, input]) => [name.toLowerCase(), input]))
  const uses = step.uses ?? ''
  for (const name of given) {
    const input = declared.get(name.toLowerCase())
    const place = placeOfKey(text, step, name) ?? start
    if (input?.deprecationMessage !== undefined) {
      const message = `Input "${name}" of "${uses}" is deprecated: ${input.deprecationMessage}`
      report(place, 'ACTION_INPUT_DEPRECATED', message, undefined, 'warning')
    }
    if (input !== undefined || (action.runs.kind === 'docker' && containerInputs.includes(name.toLowerCase()))) continue
    const near = nearestName(name, names)
    const hint = names.length === 0 ? 'It has no inputs.' : `Its inputs: ${names.join(', ')}.`
    const message = `"${uses}" has no input "${name}".`
    report(
      place,
      'ACTION_INPUT_UNKNOWN',
      message,
      near === undefined ? hint : `Did you mean "${near}"? ${hint}`,
      'warning',
    )
  }
  const there = new Set(given.map((name) => name.toLowerCase()))
  for (const [name, input] of Object.entries(action.inputs)) {
    if (!input.required || input.default !== undefined || there.has(name.toLowerCase())) continue
    report(
      start,
      'ACTION_INPUT_MISSING',
      `Input "${name}" of "${uses}" is required, and not given.`,
      `Add \`${name}:\` below \`with:\`.`,
      'warning',
    )
  }
  return diagnostics
}

/** Where a key stands in the text of a step: the model keeps only where the step begins. */
function placeOfKey(text: string, { position }: StepModel, name: string): Range | undefined {
  const lines = text.split('\n')
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)
  const key = new RegExp(`(?<=^|[\\s{,])["']?${escaped}["']?\\s*:(?=\\s|$)`)
  for (let at = position.line - 1; at < lines.length; at += 1) {
    const from = at === position.line - 1 ? position.column - 1 : 0
    const line = lines[at] ?? ''
    // The next step begins: the key is written in another way, by an anchor perhaps.
    if (at > position.line - 1 && /^\s*-\s/.test(line) && line.search(/\S/) < position.column - 1) return undefined
    const found = key.exec(line.slice(from))
    if (found === null) continue
    const column = from + found.index + 1
    const { length } = found[0].replace(/\s*:$/, '')
    return { start: { line: at + 1, column }, end: { line: at + 1, column: column + length } }
  }
  return undefined
}
