import { nearestName } from '#core/project/nearest.ts'
import type { Report } from './report.ts'
import { memberOf, textOf } from './source-node.ts'
import type { MapNode, SourceNode } from './source-node.ts'

interface Need {
  readonly job: string
  readonly name: string
  readonly node: SourceNode
}

/**
 * Where the needs of a file go wrong when none of its jobs can start: GitHub's parser then says only that, and nobody sees which name is
 * misspelt or where the circle closes. In all other files it says both itself, in these words.
 */
export function checkNeeds(jobs: MapNode, report: Report): void {
  const names = jobs.pairs.map(({ key }) => String(key.value))
  const needs = new Map(jobs.pairs.map(({ key, value }) => [String(key.value), needsOf(String(key.value), value)]))
  if (names.length === 0 || [...needs.values()].some((list) => list.length === 0)) return
  const circles = jobsOnCircles(needs)
  for (const { job, name, node } of [...needs.values()].flat()) {
    if (!needs.has(name)) {
      const nearest = nearestName(name, names)
      const hint = nearest === undefined ? `Jobs of this file: ${names.join(', ')}.` : `Did you mean "${nearest}"?`
      report(node.range, 'WORKFLOW_INVALID', `Job '${job}' depends on unknown job '${name}'.`, hint)
    } else if (circles.has(job) && circles.has(name)) {
      const problem = `Job '${job}' depends on job '${name}' which creates a cycle in the dependency graph.`
      report(node.range, 'WORKFLOW_INVALID', problem)
    }
  }
}

function needsOf(job: string, node: SourceNode): readonly Need[] {
  const needs = memberOf(node, 'needs')
  const items = needs?.kind === 'list' ? needs.items : needs === undefined ? [] : [needs]
  return items.flatMap((item) => {
    const name = textOf(item)
    return name === undefined ? [] : [{ job, name, node: item }]
  })
}

/** The jobs that are left when, again and again, all are taken away that no other one needs: those on a circle, or between two. */
function jobsOnCircles(needs: ReadonlyMap<string, readonly Need[]>): ReadonlySet<string> {
  const dependents = new Map<string, number>([...needs.keys()].map((job) => [job, 0]))
  const count = (name: string, by: number): number => {
    const left = (dependents.get(name) ?? 0) + by
    dependents.set(name, left)
    return left
  }
  for (const { name } of [...needs.values()].flat()) count(name, 1)
  const left = new Set(needs.keys())
  for (const open = [...left].filter((job) => dependents.get(job) === 0); open.length > 0;) {
    const job = open.pop() ?? ''
    left.delete(job)
    for (const { name } of needs.get(job) ?? []) if (count(name, -1) === 0) open.push(name)
  }
  return left
}
