import { applicationAmbiguous, environmentUnknown } from '#core/known/cli.ts'
import { nearestName } from '#core/project/nearest.ts'
import type { EnvironmentView } from '#core/view/model.ts'
import { ruleFacts, viewEnvironments } from '#store/view-environment.ts'
import type { Query } from '#ports/sql-driver.ts'
import { checkedProject, findApplication, findProject } from './project.ts'
import type { Session } from './session.ts'

/**
 * Environments that a call may name: those of the store, and those of the project's own `shipway.yml` that nothing has been deployed to
 * yet, so that the first call of a new environment is no mistake.
 */
export async function knownEnvironments(
  session: Session,
  q: Query | undefined,
  app?: string,
): Promise<readonly EnvironmentView[]> {
  const stored = q === undefined ? [] : await viewEnvironments(q)
  const project = await findProject(session.directory)
  if (project === undefined) return stored.filter((environment) => app === undefined || environment.application === app)
  const config = project.parsed.value
  const fresh = (config?.environments ?? [])
    .filter((written) => !stored.some((one) => one.application === config?.application && one.name === written.name))
    .map((written): EnvironmentView => ({
      application: config?.application ?? '',
      name: written.name,
      after: written.after,
      from: written.from,
      isConfigured: true,
      open: [],
      waitingJobs: [],
      ...ruleFacts(written),
      ...(written.url === undefined ? {} : { url: written.url }),
    }))
  return [...stored, ...fresh].filter((environment) => app === undefined || environment.application === app)
}

/** The one environment that a call means, or an error that names those which there are. */
export async function findEnvironment(
  session: Session,
  q: Query | undefined,
  name: string,
  app?: string,
): Promise<EnvironmentView> {
  const application = await findApplication(session, q, app)
  const all = await knownEnvironments(session, q, application)
  const found = all.filter((environment) => environment.name === name)
  const [first, ...others] = found
  if (first !== undefined && others.length > 0)
    throw applicationAmbiguous({ known: found.map((environment) => environment.application) })
  if (first !== undefined) return first
  const project = await findProject(session.directory)
  if (project !== undefined) checkedProject(project)
  const known = [...new Set(all.map((environment) => environment.name))]
  const nearest = nearestName(name, known)
  throw environmentUnknown({ environment: name, known, ...(nearest === undefined ? {} : { nearest }) })
}
