import type { StepModel } from '#core/workflow/model.ts'
import type { RemoteName } from './remote-name.ts'

/**
 * `$/path` in `uses`: an action or a workflow of the repository in whose file it stands, at the very commit that runs, whether or not that is checked
 * out (actions-semantics 6, 110). The path below the root of that repository; undefined for every other form.
 */
export function ownPath(uses: string): string | undefined {
  return uses.startsWith('$/') ? uses.slice(2).replace(/\/+$/, '') : undefined
}

/**
 * Steps of a file of another repository as they read from outside of it: `$/path` becomes `owner/repo/path@ref`, which the same pins lead to the same
 * commit. They keep their names.
 */
export function ownSteps(
  steps: readonly StepModel[],
  { repository, ref }: Pick<RemoteName, 'repository' | 'ref'>,
): readonly StepModel[] {
  return steps.map((step) => {
    const path = step.uses === undefined ? undefined : ownPath(step.uses)
    if (path === undefined) return step
    const uses = `${[repository, path].filter((part) => part !== '').join('/')}@${ref}`
    return { name: `Run ${step.uses}`, ...step, uses }
  })
}
