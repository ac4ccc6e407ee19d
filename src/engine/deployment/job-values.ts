import { loadApplication } from '#store/application.ts'
import { loadRun } from '#store/run.ts'
import type { DeliveryContext } from './context.ts'
import { loadSecrets } from './load-secrets.ts'

/** What an environment adds to `vars` and `secrets` of a job. */
export interface EnvironmentValues {
  readonly vars: Readonly<Record<string, string>>
  readonly secrets: Readonly<Record<string, string>>
}

/**
 * Variables and secrets of an environment, for a job that has passed its rules (actions-semantics 136). Nobody else is given them. An environment that
 * `shipway.yml` does not know may still have secrets in the home.
 */
export async function jobValues(
  context: Pick<DeliveryContext, 'store' | 'files'>,
  runId: string,
  environment: string,
): Promise<EnvironmentValues> {
  const { query } = context.store
  const run = await loadRun(query, runId)
  if (run === undefined) throw new Error(`Invariant broken: there is no run ${runId}`)
  const application = await loadApplication(query, run.application)
  const config = application?.config.environments.find(({ name }) => name === environment)
  return {
    vars: config?.variables ?? {},
    secrets: loadSecrets(context, { application: run.application, environment, tickets: [] }),
  }
}
