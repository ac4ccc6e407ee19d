import { join } from 'node:path'
import { listSecrets } from '#engine/deployment/list-secrets.ts'
import type { ListedSecret } from '#engine/deployment/list-secrets.ts'
import { revocationText } from '#core/deployment/secret-version.ts'
import type { CommandPage } from '../command.ts'
import { changeEnvironment } from '../environment-call.ts'
import { findEnvironment } from '../find-environment.ts'
import { readHome } from '../open-home.ts'
import { readText, sha256 } from '../plan-file.ts'
import { printList } from '../print-list.ts'
import type { Session } from '../session.ts'
import { exactTime } from '../time.ts'

interface RevokeFlags {
  readonly app?: string
  readonly reason?: string
  readonly version?: string
}

export const page: CommandPage = {
  description:
    'Secrets of an environment stand in the state home, in secrets/APPLICATION/ENVIRONMENT.json (mode 0600). The home also keeps the values with which the latest releases ran there, as many releases as `retain` says, so that a rollback brings a release back with its own. Values are never shown.',
  examples: [
    { command: 'shipway secret list production', purpose: 'names, versions, and which release ran with which' },
    {
      command: 'shipway secret revoke production API_KEY --reason "it was in a log"',
      purpose: 'no rollback brings a former value back',
    },
  ],
  exits: [0, 2],
  commands: [
    {
      name: 'list',
      summary: 'names and versions, never values',
      description:
        'Lists the secrets of an environment with the versions that the home keeps: the present one, those that a rollback would bring back, and those that were revoked. A version is the first digits of a keyed digest.',
      examples: [{ command: 'shipway secret list production --json', purpose: 'as JSON' }],
      exits: [0, 2],
      define: (command, act) => {
        command
          .argument('<environment>', 'name of the environment')
          .option('--app <name>', 'application (default: of this project)')
          .action(act(list))
      },
    },
    {
      name: 'revoke',
      summary: 'keep rollbacks from bringing a former value back',
      description:
        'Forgets former values of a secret for good: because they leaked, or are good for nothing any more. A rollback then uses the present value and says so. Without --version every version but the present one. The present value is replaced in the file of the environment, and by the next deployment.',
      examples: [
        {
          command: 'shipway secret revoke production API_KEY --reason "it was in a log"',
          purpose: 'all but the present one',
        },
        { command: 'shipway secret revoke production API_KEY --version 0b31c2', purpose: 'a certain one' },
      ],
      exits: [0, 2, 3],
      define: (command, act) => {
        command
          .argument('<environment>', 'name of the environment')
          .argument('<secret>', 'name of the secret')
          .option('--app <name>', 'application (default: of this project)')
          .option('--version <digits>', 'first digits of the version (default: all but the present one)')
          .option('--reason <text>', 'why, for the history and for whoever rolls back')
          .action(
            act((session, environment: string, secret: string, flags: RevokeFlags) =>
              changeEnvironment(
                session,
                {
                  action: 'revoke-secret',
                  secret,
                  ...(flags.version === undefined ? {} : { version: flags.version }),
                  done: `has former values of ${secret} revoked`,
                },
                environment,
                flags,
              ),
            ),
          )
      },
    },
  ],
}

async function list(session: Session, name: string, flags: { readonly app?: string }): Promise<number> {
  const rows = await readHome(session, async (q) => {
    const environment = await findEnvironment(session, q, name, flags.app)
    const place = { application: environment.application, environment: environment.name }
    const files = {
      readText: (path: string, bytesMax?: number) => readText(join(session.home, path), bytesMax),
    }
    return q === undefined ? [] : listSecrets({ files, sha256 }, q, place)
  })
  printList<ListedSecret>(session, {
    kind: 'SecretList',
    rows,
    columns: [
      { title: 'NAME', screen: (row) => row.name },
      { title: 'VERSION', screen: (row) => row.version },
      { title: 'STATE', screen: (row) => row.state },
      {
        title: 'RELEASES',
        screen: (row) => row.releases.join(',') || '-',
        pipe: (row) => row.releases.join(','),
        shrink: 1,
      },
      { title: 'NOTE', screen: (row) => noteOf(row) || '-', pipe: noteOf, shrink: 2 },
    ],
    toJson: ({ revoked, ...row }) => ({
      ...row,
      ...(revoked === undefined ? {} : { revoked: { ...revoked, at: exactTime(revoked.at) } }),
    }),
    idOf: (row) => `${row.name} ${row.version}`,
    empty: `${name} keeps no secrets in this home.`,
  })
  return 0
}

function noteOf({ revoked }: ListedSecret): string {
  return revoked === undefined ? '' : revocationText(revoked)
}
