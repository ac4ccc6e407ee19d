import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchWorld, RunOptions } from './bench-world.ts'

/** A job of a made-up pipeline: the same work is written down for Shipway and for gitlab-ci-local. */
export interface Job {
  readonly id: string
  readonly needs: readonly string[]
  readonly steps: readonly string[]
}

/** As a GitHub Actions file; `runs-on` means nothing to either side. */
export function asGithubWorkflow(jobs: readonly Job[]): string {
  const lines = ['on: push', 'jobs:']
  for (const { id, needs, steps } of jobs) {
    lines.push(`  ${id}:`, '    runs-on: ubuntu-latest')
    if (needs.length > 0) lines.push(`    needs: [${needs.join(', ')}]`)
    lines.push('    steps:', ...steps.map((step) => `      - run: ${JSON.stringify(step)}`))
  }
  return `${lines.join('\n')}\n`
}

/** As a `.gitlab-ci.yml`. */
export function asGitlabPipeline(jobs: readonly Job[]): string {
  const lines: string[] = []
  for (const { id, needs, steps } of jobs) {
    lines.push(
      `${id}:`,
      `  needs: [${needs.join(', ')}]`,
      '  script:',
      ...steps.map((step) => `    - ${JSON.stringify(step)}`),
    )
  }
  return `${lines.join('\n')}\n`
}

/** A repository that both can run. */
export function repositoryOf(jobs: readonly Job[], world: BenchWorld): Promise<string> {
  return world.repository({
    '.github/workflows/ci.yml': asGithubWorkflow(jobs),
    '.gitlab-ci.yml': asGitlabPipeline(jobs),
    '.gitignore': '.gitlab-ci-local/\n',
  })
}

/** One cold call of `shipway run`, durable, in a state home that exists only for it. */
export async function runShipway(repository: string, world: BenchWorld, options: RunOptions = {}): Promise<void> {
  const home = await mkdtemp(join(world.folder, 'state-'))
  try {
    await runShipwayIn(home, repository, world, options)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** One cold call of `shipway run`, durable, in a state home that was used before: as on a laptop, from the second call on. */
export async function runShipwayIn(
  home: string,
  repository: string,
  world: BenchWorld,
  options: RunOptions = {},
): Promise<void> {
  await world.run(world.shipway, ['run', 'push', '-C', repository, '--home', home], options)
}
