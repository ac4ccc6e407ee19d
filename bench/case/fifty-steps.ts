import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { BenchCase } from '../bench-case.ts'
import { measure } from '../compare.ts'
import { atMost, milliseconds } from '../row.ts'
import { repositoryOf, runShipway } from '../work.ts'

const count = 50

/**
 * What a step costs: 51 steps minus one step, so that start and end of the run are not in it, against the bare minimum, 50
 * processes of bash that Node starts one after the other with the script in a file and the output in a pipe.
 */
export const fiftySteps: BenchCase = {
  name: 'fifty-steps',
  measure: async (world) => {
    const job = (steps: number) => [{ id: 'steps', needs: [], steps: Array.from({ length: steps }, () => 'true') }]
    const one = await repositoryOf(job(1), world)
    const many = await repositoryOf(job(count + 1), world)
    const script = join(world.folder, 'step.sh')
    await writeFile(script, 'true\n')

    const [short, long, bare] = await measure(
      [
        { name: 'one step', run: () => runShipway(one, world) },
        { name: `${count + 1} steps`, run: () => runShipway(many, world) },
        { name: `${count} × bash from Node`, run: () => spawnBash(script, world.env) },
      ],
      world.rounds,
    )
    const steps = { ...long!, medianMs: long!.medianMs - short!.medianMs }
    const note = `the whole command: ${milliseconds(long!.medianMs)}, with one step ${milliseconds(short!.medianMs)}`
    return [atMost(2, `${count} trivial steps in one job`, { ours: steps, reference: bare! }, note)]
  },
}

async function spawnBash(script: string, env: NodeJS.ProcessEnv): Promise<number> {
  const started = performance.now()
  for (let index = 0; index < count; index++) {
    const child = spawn('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.resume()
    await once(child, 'close')
  }
  return performance.now() - started
}
