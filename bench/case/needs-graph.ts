import type { BenchCase } from '../bench-case.ts'
import { compare, measure } from '../compare.ts'
import { installGitlabCiLocal } from '../gitlab-ci-local.ts'
import { fasterBy, milliseconds, type Row, skipped } from '../row.ts'
import { type Job, repositoryOf, runShipway } from '../work.ts'

/** Layers of 20 jobs; each needs two of the layer before. */
function graph(count: number): readonly Job[] {
  const width = 20
  return Array.from({ length: count }, (_, index) => {
    const above = index - width
    const needs = above < 0 ? [] : [`job${above}`, `job${above % width === width - 1 ? above - 1 : above + 1}`]
    return { id: `job${index}`, needs, steps: ['true'] }
  })
}

/** Scheduling: a graph of 200 jobs side by side, and whether a job costs more in a large graph than in a small one. */
export const needsGraph: BenchCase = {
  name: 'needs-graph',
  measure: async (world) => [await against(200, world), await costPerJob([20, 200, 2000], world)],
}

async function against(count: number, world: Parameters<BenchCase['measure']>[0]): Promise<Row> {
  const what = `${count} jobs with \`needs\``
  const gitlab = await installGitlabCiLocal(world)
  if ('missing' in gitlab) return skipped(what, '≥ 3 × faster', gitlab.missing)
  const repository = await repositoryOf(graph(count), world)
  const comparison = await compare(
    { name: 'shipway run', run: () => runShipway(repository, world) },
    { name: 'gitlab-ci-local', run: async () => void (await world.run(gitlab.program, [], { cwd: repository })) },
    Math.ceil(world.rounds / 3),
  )
  return fasterBy(3, what, comparison)
}

async function costPerJob(counts: readonly number[], world: Parameters<BenchCase['measure']>[0]): Promise<Row> {
  const repositories = await Promise.all([1, ...counts].map((count) => repositoryOf(graph(count), world)))
  const [single, ...samples] = await measure(
    repositories.map((repository) => ({ name: repository, run: () => runShipway(repository, world) })),
    1,
  )
  const costs = samples.map(({ medianMs }, index) => (medianMs - single!.medianMs) / (counts[index]! - 1))
  const ratio = costs.at(-1)! / costs[0]!
  return {
    what: 'cost of one more job in graphs of 20, 200 and 2,000',
    ours: costs.map(milliseconds).join(', '),
    reference: 'the smallest graph',
    measured: `${ratio.toFixed(2)} ×`,
    bar: '≤ 1.5 ×',
    verdict: ratio <= 1.5 ? 'met' : 'missed',
  }
}
