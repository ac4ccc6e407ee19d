import { environmentNotFound } from '#core/known/environment.ts'
import { applicationNotFound } from '#core/known/project.ts'
import type { EnvironmentConfig } from '#core/project/model.ts'
import { absoluteTarget } from '#core/project/target.ts'
import type { Query } from '#ports/sql-driver.ts'
import { listApplications, loadApplication } from '#store/application.ts'
import type { StoredApplication } from '#store/application.ts'

/** The rules in force for a place, or those that are about to be; relative targets are made absolute. */
export async function findEnvironment(
  query: Query,
  place: { readonly application: string; readonly environment: string },
  fresh?: Omit<StoredApplication, 'updatedAt'>,
): Promise<{ readonly application: StoredApplication; readonly config: EnvironmentConfig }> {
  const known = await loadApplication(query, place.application)
  const application = fresh === undefined ? known : { updatedAt: 0, ...known, ...fresh }
  if (application === undefined) {
    throw applicationNotFound({
      application: place.application,
      known: (await listApplications(query)).map(({ name }) => name),
    })
  }
  const config = application.config.environments.find((environment) => environment.name === place.environment)
  if (config === undefined) {
    throw environmentNotFound({ ...place, known: application.config.environments.map(({ name }) => name) })
  }
  return {
    application,
    config: { ...config, targets: config.targets.map((target) => absoluteTarget(target, application.repository)) },
  }
}
