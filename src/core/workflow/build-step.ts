import { ensureStatusFunction } from '#core/expression/status.ts'
import { expressionOf } from '#core/expression/template.ts'
import type { StepControl, StepModel, Template } from './model.ts'
import { memberOf, textOf, textsOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'
import { stepIdGiver } from './step-id.ts'
import { toTemplate } from './to-template.ts'
import type { TemplateObserver } from './to-template.ts'

/** The steps of a job or composite action. Items that are no mappings were reported by a check and are left out. */
export function buildSteps(node: SourceNode | undefined, observer: TemplateObserver = {}): readonly StepModel[] {
  if (node?.kind !== 'list') return []
  const items = node.items.filter((item) => item.kind === 'map')
  const all = items.flatMap((item) => [item, ...groupOf(item)])
  const giveId = stepIdGiver(all.map((item) => textOf(memberOf(item, 'id')) ?? ''))
  return items.flatMap((item) => buildItem(item, { giveId, observer }))
}

/** The steps of a `parallel` group. */
function groupOf(node: SourceNode): readonly SourceNode[] {
  const group = memberOf(node, 'parallel')
  return group?.kind === 'list' ? group.items.filter((item) => item.kind === 'map') : []
}

/** One step, or the background steps of a group and the wait for them that stands for the group (actions-semantics 60). */
function buildItem(node: SourceNode, context: StepContext): readonly StepModel[] {
  if (memberOf(node, 'parallel') === undefined) return [buildStep(node, context)]
  const steps = groupOf(node).map((item) => ({ ...buildStep(item, context), background: true as const }))
  const id = textOf(memberOf(node, 'id')) ?? context.giveId({ word: 'parallel' })
  const control = { kind: 'wait', steps: steps.map((step) => step.id) } as const
  const name = textOf(memberOf(node, 'name')) ?? controlNames.parallel
  return [...steps, { id, name, if: 'always()', control, position: node.range.start }]
}

const controlNames = { wait: 'Wait', 'wait-all': 'Wait for all', cancel: 'Cancel', parallel: 'Parallel group' } as const

/** What a step asks of background steps; undefined for one that does something. */
function controlOf(node: SourceNode): StepControl | undefined {
  const wait = memberOf(node, 'wait')
  if (wait !== undefined) {
    return { kind: 'wait', steps: textsOf(wait) }
  }
  if (memberOf(node, 'wait-all') !== undefined) return { kind: 'wait-all' }
  const cancel = textOf(memberOf(node, 'cancel'))
  return cancel === undefined ? undefined : { kind: 'cancel', steps: [cancel] }
}

interface StepContext {
  readonly giveId: (of: { readonly uses?: string | undefined; readonly word?: string }) => string
  readonly observer: TemplateObserver
}

function buildStep(node: SourceNode, { giveId, observer }: StepContext): StepModel {
  const uses = textOf(memberOf(node, 'uses'))
  const control = controlOf(node)
  return {
    id: textOf(memberOf(node, 'id')) ?? giveId({ uses, ...(control === undefined ? {} : { word: control.kind }) }),
    // It also clears up after a failure: what nobody cancels would be waited for at the end.
    if: control === undefined ? conditionOf(node, observer) : 'always()',
    ...(control === undefined ? {} : { name: controlNames[control.kind], control }),
    ...(isTrue(memberOf(node, 'background')) ? { background: true as const } : {}),
    ...(uses === undefined ? {} : { uses }),
    ...templates(node, observer, {
      name: 'name',
      run: 'run',
      with: 'with',
      env: 'env',
      shell: 'shell',
      workingDirectory: 'working-directory',
      timeoutMinutes: 'timeout-minutes',
      continueOnError: 'continue-on-error',
    }),
    position: node.range.start,
  }
}

function isTrue(node: SourceNode | undefined): boolean {
  return node?.kind === 'scalar' && node.value === true
}

/** The condition of a job or step, wrapped as GitHub does; `if: ${{ a }} && b` is text and so always true. */
export function conditionOf(node: SourceNode, observer: TemplateObserver): string {
  const condition = memberOf(node, 'if')
  if (condition === undefined) return 'success()'
  const expression = expressionOf(toTemplate(condition, observer))
  if (expression !== undefined) return ensureStatusFunction(expression)
  const source = textOf(condition) ?? ''
  if (source.trim() !== '') observer.onExpression?.(condition.range, source)
  return ensureStatusFunction(source)
}

/**
 * The members of a mapping under the names that the model gives them, as templates; absent and null ones are left out,
 * because an empty `env:` means the same as none.
 */
export function templates<Name extends string>(
  node: SourceNode | undefined,
  observer: TemplateObserver,
  keys: Readonly<Record<Name, string>>,
): Partial<Record<Name, Template>> {
  const found: [string, Template][] = []
  for (const [name, key] of Object.entries<string>(keys)) {
    const member = memberOf(node, key)
    if (member === undefined) continue
    const template = toTemplate(member, observer)
    if (template !== null) found.push([name, template])
  }
  return Object.fromEntries(found) as Partial<Record<Name, Template>>
}
