import { mkdirSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { checkoutFailed, pathEscapes, programNotStarted } from '#core/known/runner.ts'
import { isInside, normalizePath } from '#core/step/path-pattern.ts'
import type { JobRun, LoadedAction } from '../job-run.ts'
import { readAction } from './load-action.ts'

/**
 * An action of the run's own repository at the commit that runs: `$/path` (actions-semantics 110). It is read from a copy of the commit beside the other
 * repositories' actions, so nothing has to be checked out before, and no step can have changed it.
 */
export async function loadOwnAction(job: JobRun, uses: string, path: string): Promise<LoadedAction> {
  const { source, contexts, paths } = job.order
  const root = await (job.commons.ownRepository ??= copyCommit(job))
  const folder = normalizePath(path, root)
  if (!isInside(folder, root)) throw pathEscapes({ path: uses, root: 'the repository' })
  const model = await readAction(uses, folder, paths.actions)
  return { uses, root, folder, model, origin: { repository: String(contexts.github['repository']), ref: source.sha } }
}

/** Writes the files of the commit into a folder of the job, through an index of its own: that of the repository is somebody's. */
async function copyCommit(job: JobRun): Promise<string> {
  const { source, paths } = job.order
  const root = join(paths.actions, '_own', source.sha)
  const partial = `${root}.partial`
  await rm(partial, { recursive: true, force: true })
  mkdirSync(partial, { recursive: true, mode: 0o755 })
  const index = `${paths.temp}/_own_index_${job.nextFileNumber()}`
  const settings = ['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.sparseCheckout=false']
  const args = [...settings.flatMap((setting) => ['-c', setting]), `--work-tree=${partial}`]
  await git(job, [...args, 'read-tree', '--reset', '-u', source.sha], index)
  await rm(index, { force: true })
  await rename(partial, root)
  job.print([`Use the actions of this repository (commit ${source.sha})`])
  return root
}

async function git(job: JobRun, args: readonly string[], index: string): Promise<void> {
  const { repository, sha } = job.order.source
  const { baseEnv } = job.machine
  const program = job.machine.findProgram('git', baseEnv['PATH'] ?? '', repository)
  if (program === undefined) throw programNotStarted({ program: 'git', cause: new Error('It is not on the PATH.') })
  const said: Buffer[] = []
  const sink = { onOut: () => {}, onErr: (chunk: Buffer) => said.push(Buffer.from(chunk)) }
  const plan = { argv: [program, ...args], cwd: repository, env: { ...baseEnv, GIT_INDEX_FILE: index } }
  const exitCode = await job.control.stoppable((stop) => job.machine.run(plan, sink, job.world, stop))
  if (exitCode === 0) return
  throw checkoutFailed({ ref: sha, repository, output: Buffer.concat(said).toString('utf8').trimEnd().split('\n') })
}
