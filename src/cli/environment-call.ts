import type { Command } from 'commander'
import type { EnvironmentRequest } from '#core/ticket/model.ts'
import type { EnvironmentView } from '#core/view/model.ts'
import { findEnvironment } from './find-environment.ts'
import { readHome } from './open-home.ts'
import type { Session } from './session.ts'
import { performRequest } from './work.ts'

/** Flags that all changes of an environment share. */
export interface EnvironmentFlags {
  readonly app?: string
  readonly reason?: string
}

export function addEnvironmentFlags(command: Command): void {
  command
    .argument('<environment>', 'name of the environment')
    .option('--app <name>', 'application (default: of this project)')
    .option('--reason <text>', 'why, for the history and for whoever meets it')
}

export function environmentRequest(
  environment: Pick<EnvironmentView, 'application' | 'name'>,
  change: Pick<EnvironmentRequest, 'action' | 'until' | 'secret' | 'version'>,
  { reason }: EnvironmentFlags,
): EnvironmentRequest {
  return {
    kind: 'environment',
    ...change,
    application: environment.application,
    environment: environment.name,
    ...(reason === undefined ? {} : { reason }),
  }
}

/** Changes what an environment lets through, and says what is so now. */
export async function changeEnvironment(
  session: Session,
  change: Pick<EnvironmentRequest, 'action' | 'until' | 'secret' | 'version'> & { readonly done: string },
  name: string,
  flags: EnvironmentFlags,
): Promise<number> {
  const environment = await readHome(session, async (q) => findEnvironment(session, q, name, flags.app))
  const { done, ...changed } = change
  const { note } = await performRequest(session, environmentRequest(environment, changed, flags), {
    watch: 'none',
    liveTo: 'stderr',
    priority: 'P1',
  })
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'EnvironmentChange',
      application: environment.application,
      environment: environment.name,
      action: change.action,
      note: note ?? null,
    })
  else
    session.print(
      session.isQuiet
        ? environment.name
        : `✓ ${environment.name} of ${environment.application} ${done}${note === undefined ? '' : ` (${note})`}`,
    )
  return 0
}
