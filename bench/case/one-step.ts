import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchCase } from '../bench-case.ts'
import { compare } from '../compare.ts'
import { installGitlabCiLocal } from '../gitlab-ci-local.ts'
import { fasterBy, skipped } from '../row.ts'
import { repositoryOf, runShipway, runShipwayIn } from '../work.ts'

/**
 * The smallest pipeline there is, each call a new process: in a state home that is made for it (the store is created, GitHub's parser is
 * loaded), and in one that was used before.
 */
export const oneStep: BenchCase = {
  name: 'one-step',
  measure: async (world) => {
    const what = 'one job, one trivial step, cold, durable'
    const gitlab = await installGitlabCiLocal(world)
    if ('missing' in gitlab) return [skipped(what, '≥ 3 × faster', gitlab.missing)]
    const repository = await repositoryOf([{ id: 'one', needs: [], steps: ['echo ok'] }], world)
    const reference = {
      name: 'gitlab-ci-local',
      run: async () => void (await world.run(gitlab.program, [], { cwd: repository })),
    }
    const fresh = { name: 'shipway run', run: () => runShipway(repository, world) }
    const home = await mkdtemp(join(world.folder, 'used-'))
    const used = { name: 'shipway run, used home', run: () => runShipwayIn(home, repository, world) }
    return [
      fasterBy(3, `${what}, fresh state home`, await compare(fresh, reference, world.rounds)),
      fasterBy(3, `${what}, used state home`, await compare(used, reference, world.rounds)),
    ]
  },
}
