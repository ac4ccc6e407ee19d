import { parseProject } from '#core/project/parse.ts'
import type { Query } from '#ports/sql-driver.ts'
import { viewApplications } from '#store/view-environment.ts'
import type { Session } from './session.ts'

/** Which `shipway.yml` counts for an application, when it is not that of the newest commit of the default branch. */
export interface RulesRemark {
  readonly code: 'RULES_BRANCH_UNKNOWN' | 'RULES_BEHIND' | 'RULES_INVALID'
  readonly message: string
  readonly hint: string
}

/**
 * Rules come into force with the next run, deployment, promotion, rollback, approval, backup or restore after they are the newest of the default branch. Where nobody can tell
 * which branch that is, they stay as they were for ever. Undefined when they are in force, or the repository is not here.
 */
export async function remarkOnRules(
  session: Session,
  q: Query | undefined,
  application: string,
): Promise<RulesRemark | undefined> {
  const known = q === undefined ? undefined : (await viewApplications(q)).find(({ name }) => name === application)
  if (known?.configSha === undefined) return undefined
  const { repository, configSha } = known
  const { git } = session.services
  const sealed = await textAt(session, repository, configSha)
  const branch = await git.defaultBranch(repository).catch(() => undefined)
  const since = `those of commit ${configSha.slice(0, 7)} count`
  if (branch === undefined)
    return sealed === undefined
      ? undefined
      : {
          code: 'RULES_BRANCH_UNKNOWN',
          message: `No default branch is known in ${repository}, so no change of shipway.yml comes into force: ${since}.`,
          hint: '`git remote set-head origin --auto`, or `git config init.defaultBranch NAME`, says which branch it is.',
        }
  if (branch.tips.includes(configSha)) return undefined
  const newest = await Promise.all(branch.tips.map(async (tip) => textAt(session, repository, tip)))
  if (newest.some((text) => text === sealed)) return undefined
  if (newest.every((text) => text !== undefined && isBroken(text)))
    return {
      code: 'RULES_INVALID',
      message: `shipway.yml of the newest commit of ${branch.name} has a mistake, so nothing goes forward: ${since} for what goes back.`,
      hint: '`shipway lint` shows it; correct it there.',
    }
  return {
    code: 'RULES_BEHIND',
    message: `shipway.yml of the newest commit of ${branch.name} is not in force yet: ${since}.`,
    hint: 'The next run of it, deployment, promotion, rollback or approval brings it into force.',
  }
}

function isBroken(text: string): boolean {
  return parseProject({ file: 'shipway.yml', text, folderName: '' }).value === undefined
}

async function textAt(session: Session, repository: string, sha: string): Promise<string | undefined> {
  try {
    const [file] = await session.services.git.readFiles(repository, sha, ['shipway.yml'])
    return file?.kind === 'file' ? file.text : undefined
  } catch {
    return undefined
  }
}
