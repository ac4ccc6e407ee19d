import type { Diagnostic } from '#core/diagnostic.ts'
import { nearestName } from '#core/project/nearest.ts'
import { readSource } from './read-source.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'

/** The step that deploys; its `environment` input says where. */
const deployAction = /^shipway\/deploy(?:@|$)/

/**
 * Environments that a workflow names and shipway.yml does not have. A job runs without any rule then, as on GitHub, which is rarely meant: a
 * warning. A step that deploys there fails for certain: an error. What an expression names cannot be told here.
 */
export async function checkEnvironmentNames(
  workflow: { readonly file: string; readonly text: string },
  known: readonly string[],
): Promise<readonly Diagnostic[]> {
  const { value: root } = await readSource(workflow)
  const jobs = memberOf(root, 'jobs')
  if (jobs?.kind !== 'map') return []
  const unknown = (node: SourceNode | undefined, severity: Diagnostic['severity']): readonly Diagnostic[] => {
    const name = textOf(node)
    if (node === undefined || name === undefined || name === '' || name.includes('${{') || known.includes(name))
      return []
    const nearest = nearestName(name, known)
    const hint = nearest === undefined ? `Environments: ${known.join(', ') || 'none'}.` : `Did you mean "${nearest}"?`
    const effect = severity === 'error' ? 'nothing can be deployed there' : 'the job runs there without any rule'
    const message = `Environment "${name}" is not defined in shipway.yml: ${effect}.`
    return [{ severity, code: 'ENVIRONMENT_UNKNOWN', file: workflow.file, range: node.range, message, hint }]
  }
  return jobs.pairs.flatMap(({ value: job }) => {
    const environment = memberOf(job, 'environment')
    const named = environment?.kind === 'map' ? memberOf(environment, 'name') : environment
    return [
      ...unknown(named, 'warning'),
      ...stepsOf(job)
        .filter((step) => deployAction.test(textOf(memberOf(step, 'uses')) ?? ''))
        .flatMap((step) => unknown(memberOf(memberOf(step, 'with'), 'environment'), 'error')),
    ]
  })
}

function stepsOf(job: SourceNode): readonly SourceNode[] {
  const steps = memberOf(job, 'steps')
  return steps?.kind === 'list' ? steps.items : []
}
