import type { BenchCase } from '../bench-case.ts'
import { compare } from '../compare.ts'
import { installGitlabCiLocal } from '../gitlab-ci-local.ts'
import { fasterBy, skipped } from '../row.ts'
import { repositoryOf, runShipway } from '../work.ts'

/** The smallest pipeline there is, each call a new process in a fresh state home. */
export const oneStep: BenchCase = {
  name: 'one-step',
  measure: async (world) => {
    const what = 'one job, one trivial step, cold, durable'
    const gitlab = await installGitlabCiLocal(world)
    if ('missing' in gitlab) return [skipped(what, '≥ 3 × faster', gitlab.missing)]
    const repository = await repositoryOf([{ id: 'one', needs: [], steps: ['echo ok'] }], world)
    const comparison = await compare(
      { name: 'shipway run', run: () => runShipway(repository, world) },
      { name: 'gitlab-ci-local', run: async () => void (await world.run(gitlab.program, [], { cwd: repository })) },
      world.rounds,
    )
    return [fasterBy(3, what, comparison)]
  },
}
