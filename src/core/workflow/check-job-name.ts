import type { Diagnostic } from '#core/diagnostic.ts'
import { nearestName } from '#core/project/nearest.ts'
import { readSource } from './read-source.ts'
import { memberOf, textOf } from './source-node.ts'
import type { SourceNode } from './source-node.ts'

/**
 * Jobs that shipway.yml names (`release.requires`, `verifiedBy`) and no workflow of the project has: nothing is ever released then, or an environment
 * never verifies anything. `known`: the ids of all jobs; those of a called workflow begin with the id of the job that calls it, and a dot.
 */
export async function checkJobNames(
  project: { readonly file: string; readonly text: string },
  known: readonly string[],
): Promise<readonly Diagnostic[]> {
  const { value: root } = await readSource(project)
  const environments = memberOf(root, 'environments')
  const lists = [
    { node: memberOf(memberOf(root, 'release'), 'requires'), effect: 'nothing is ever released' },
    ...(environments?.kind === 'map' ? environments.pairs : []).map(({ value }) => ({
      node: memberOf(value, 'verifiedBy'),
      effect: 'nothing is ever verified there',
    })),
  ]
  return lists.flatMap(({ node, effect }) =>
    namesIn(node).flatMap((one): readonly Diagnostic[] => {
      const name = textOf(one) ?? ''
      const [caller = name] = name.split('.')
      if (name === '' || known.includes(caller)) return []
      const nearest = nearestName(name, known)
      return [
        {
          severity: 'error',
          code: 'CONFIG_JOB_UNKNOWN',
          file: project.file,
          range: one.range,
          message: `No workflow has a job "${name}": ${effect}.`,
          hint: nearest === undefined ? `Jobs: ${known.join(', ')}.` : `Did you mean "${nearest}"?`,
        },
      ]
    }),
  )
}

function namesIn(node: SourceNode | undefined): readonly SourceNode[] {
  if (node === undefined) return []
  return node.kind === 'list' ? node.items : [node]
}
