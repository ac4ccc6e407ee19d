import { ensureStatusFunction } from '#core/expression/status.ts'
import { expressionOf } from '#core/expression/template.ts'
import type { StepModel, Template } from './model.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'
import { stepIdGiver } from './step-id.ts'
import { toTemplate } from './to-template.ts'
import type { TemplateObserver } from './to-template.ts'

/** The steps of a job or composite action. Items that are no mappings were reported by a check and are left out. */
export function buildSteps(node: SourceNode | undefined, observer: TemplateObserver = {}): readonly StepModel[] {
  if (node?.kind !== 'list') return []
  const items = node.items.filter((item) => item.kind === 'map')
  const giveId = stepIdGiver(items.map((item) => textOf(memberOf(item, 'id')) ?? ''))
  return items.map((item) => buildStep(item, { giveId, observer }))
}

interface StepContext {
  readonly giveId: (uses: string | undefined) => string
  readonly observer: TemplateObserver
}

function buildStep(node: SourceNode, { giveId, observer }: StepContext): StepModel {
  const uses = textOf(memberOf(node, 'uses'))
  return {
    id: textOf(memberOf(node, 'id')) ?? giveId(uses),
    if: conditionOf(node, observer),
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
