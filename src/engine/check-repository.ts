import { applicationOfOtherRepository } from '#core/known/project.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import { loadApplication } from '#store/application.ts'
import type { AgentContext } from './context.ts'
import { projectFile } from './deployment/seal-release.ts'

/**
 * Refuses a run of another repository under the name of an application that the home knows: both would share rules, environments and
 * releases. Another folder is not another repository: a clone or a worktree knows a commit of the one that the rules came from, or the other way
 * round. A repository that is gone has moved.
 */
export async function checkRepository(
  context: Pick<AgentContext, 'git' | 'store'>,
  request: RunRequest,
): Promise<void> {
  const { application, repository, event } = request
  const known = await loadApplication(context.store.query, application)
  if (known === undefined || known.repository === repository || known.configSha === undefined) return
  if ((await hasRules(context, known.repository, known.configSha)) !== true) return
  if ((await hasRules(context, repository, known.configSha)) === true) return
  for (const sha of [event.sha, event.before])
    if (sha !== undefined && (await hasRules(context, known.repository, sha)) === true) return
  throw applicationOfOtherRepository({ application, known: known.repository, repository })
}

/** Whether a repository has a commit with a `shipway.yml`; undefined when it cannot be asked. */
export async function hasRules(
  { git }: { readonly git: Pick<AgentContext['git'], 'readFiles'> },
  repository: string,
  sha: string,
): Promise<boolean | undefined> {
  try {
    const [file] = await git.readFiles(repository, sha, [projectFile])
    return file?.kind === 'file'
  } catch {
    return undefined
  }
}
