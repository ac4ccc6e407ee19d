import { rulesInvalid } from '#core/known/project.ts'
import { parseProject } from '#core/project/parse.ts'
import type { TicketRequest } from '#core/ticket/model.ts'
import type { DefaultBranch, Git } from '#ports/git.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import type { StoredApplication } from '#store/application.ts'
import { loadDeployment } from '#store/deployment.ts'
import { loadRun } from '#store/run.ts'
import { hasRules } from './check-repository.ts'
import { projectFile } from './deployment/seal-release.ts'

/** Rules that come into force: what `saveApplication` keeps. */
export type FreshRules = Omit<StoredApplication, 'updatedAt' | 'configSha'> & { readonly configSha: string }

/** What is needed to find them. */
export interface RulesContext {
  readonly git: Pick<Git, 'readFiles' | 'defaultBranch' | 'isAncestor'>
}

/** Whose rules, and a repository of the application that whoever asks stands in. */
export interface RulesAsked {
  readonly application: string
  readonly repository?: string | undefined
  /** An environment in which something is put right: rules that are broken, or have no such environment any more, do not come into force then. */
  readonly mending?: string
}

/**
 * The rules of the newest commit of the default branch, where they are not in force yet. Only that branch is looked at, here and as far as it is
 * known at `origin`, so no other branch, no pull request and no working tree can bring rules. Undefined when there is nothing newer, and when
 * nobody can tell: no such branch, the repository is gone, the commit has no `shipway.yml` or that of another application; then those in force stay.
 * An application that the home does not know yet gets its first rules from the repository that is named. RULES_INVALID where the newest are broken
 * and something is to go forward.
 */
export async function freshRules(
  context: RulesContext,
  query: Query,
  asked: RulesAsked,
): Promise<FreshRules | undefined> {
  const known = await loadApplication(query, asked.application)
  const repository = await repositoryOf(context, known, asked.repository)
  if (repository === undefined) return undefined
  const branch = await context.git.defaultBranch(repository)
  const tip = branch === undefined ? undefined : await newestTip(context, repository, branch, known?.configSha)
  if (branch === undefined || tip === undefined) return undefined
  if (tip === known?.configSha && repository === known.repository) return undefined
  const [file] = await context.git.readFiles(repository, tip, [projectFile])
  if (file?.kind !== 'file') return undefined
  // The folder's name is that of an application whose file names none.
  const folderName = known === undefined ? (repository.split('/').at(-1) ?? '') : asked.application
  const { value, diagnostics } = parseProject({ file: projectFile, text: file.text, folderName })
  if (value === undefined) {
    if (asked.mending !== undefined) return undefined
    throw rulesInvalid({ sha: tip, branch: branch.name, text: file.text, diagnostics })
  }
  if (value.application !== asked.application) return undefined
  if (asked.mending !== undefined && !value.environments.some(({ name }) => name === asked.mending)) return undefined
  return { name: asked.application, repository, config: value, configSha: tip }
}

/**
 * Requests that go by the newest rules. What goes back, and what saves or restores a database, does too, or a host that has died could not be taken out
 * of `targets` before a rollback; but it must work whatever `shipway.yml` says now. Locking and cancelling ask for no rules.
 */
export async function rulesAskedBy(query: Query, request: TicketRequest): Promise<RulesAsked | undefined> {
  if (request.kind === 'deploy') {
    const { application, repository, environment } = request
    const isForward = request.mode !== 'rollback' || (await loadApplication(query, application)) === undefined
    return { application, repository, ...(isForward ? {} : { mending: environment }) }
  }
  if (request.kind === 'backup' || request.kind === 'restore')
    return { application: request.application, mending: request.environment }
  if (request.kind === 'publish') return { application: request.application }
  if (request.kind !== 'decision' || request.decision !== 'approve') return undefined
  const subject = (await loadDeployment(query, request.subject)) ?? (await loadRun(query, request.subject))
  return subject === undefined ? undefined : { application: subject.application }
}

/** That of the application; where it is gone, the one that is named, if it has the commit of the rules in force. */
async function repositoryOf(
  context: RulesContext,
  known: StoredApplication | undefined,
  named: string | undefined,
): Promise<string | undefined> {
  if (known?.configSha === undefined) return named ?? known?.repository
  if ((await hasRules(context, known.repository, known.configSha)) !== undefined) return known.repository
  if (named === undefined || (await hasRules(context, named, known.configSha)) !== true) return undefined
  return named
}

/**
 * The commit that has all other tips behind it. Where the branch here and the one at `origin` have gone different ways, the rules in force stay if
 * they are of one of the two, else those that everybody shares are taken.
 */
async function newestTip(
  { git }: RulesContext,
  repository: string,
  { tips }: DefaultBranch,
  inForce: string | undefined,
): Promise<string | undefined> {
  const [own, shared] = tips
  if (own === undefined || shared === undefined || own === shared) return own
  if (await git.isAncestor(repository, own, shared)) return shared
  if (await git.isAncestor(repository, shared, own)) return own
  return inForce === own ? own : shared
}
