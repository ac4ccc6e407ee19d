import type { Docker } from './docker.ts'
import { homeLabel, homeName, isRunnerAlive, jobLabel, runnerLabel } from './labels.ts'

/** Removes every container and network with the label of a job. */
export async function removeJob(docker: Docker, mark: string): Promise<void> {
  const filter = ['--filter', `label=${jobLabel}=${mark}`]
  await removeThings(docker, {
    containers: words((await docker.ask(['ps', '--all', '--quiet', ...filter])).stdout),
    networks: words((await docker.ask(['network', 'ls', '--quiet', ...filter])).stdout),
  })
}

/**
 * Removes what runners of this home have left that are gone: a runner that is killed has a watchdog to do it, a machine that
 * loses its power has nobody (118).
 */
export async function removeStale(docker: Docker, home: string): Promise<void> {
  const filter = ['--filter', `label=${homeLabel}=${homeName(home)}`]
  const format = ['--format', `{{.ID}} {{.Label "${runnerLabel}"}}`]
  const stale = (text: string) =>
    text
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([id, runner]) => id !== '' && runner !== undefined && !isRunnerAlive(runner))
      .map(([id = '']) => id)
  await removeThings(docker, {
    containers: stale((await docker.ask(['ps', '--all', ...filter, ...format])).stdout),
    networks: stale((await docker.ask(['network', 'ls', ...filter, ...format])).stdout),
  })
}

async function removeThings(
  docker: Docker,
  { containers, networks }: { readonly containers: readonly string[]; readonly networks: readonly string[] },
): Promise<void> {
  if (containers.length > 0) await docker.ask(['rm', '--force', '--volumes', ...containers])
  if (networks.length > 0) await docker.ask(['network', 'rm', ...networks])
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
