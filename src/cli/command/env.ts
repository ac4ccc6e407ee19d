import type { EnvironmentView } from '#core/view/model.ts'
import { shortDigest, shortVersion } from '#core/view/name.ts'
import { whyEnvironment } from '#core/view/why.ts'
import { viewDeployments } from '#store/view.ts'
import type { CommandPage } from '../command.ts'
import { findEnvironment, knownEnvironments } from '../find-environment.ts'
import { tookAndReceipt } from '../live/ending.ts'
import { readHome } from '../open-home.ts'
import { printList } from '../print-list.ts'
import type { Session } from '../session.ts'
import { age, exactTime } from '../time.ts'

/** Attempts of the history that `env show` tells. */
const historyMax = 10

interface Flags {
  readonly app?: string
}

export const page: CommandPage = {
  description: 'Environments are named places with rules, defined in shipway.yml.',
  examples: [
    { command: 'shipway env list', purpose: 'all environments, their rules and what runs there' },
    { command: 'shipway env show production', purpose: 'one environment with its history' },
  ],
  exits: [0, 2],
  commands: [
    {
      name: 'list',
      summary: 'all environments, their rules and what runs there',
      description: 'Lists the environments of this project and of the state home.',
      examples: [
        { command: 'shipway env list', purpose: 'all' },
        { command: 'shipway env list --json', purpose: 'as JSON' },
      ],
      exits: [0],
      define: (command, act) => {
        command.option('--app <name>', 'only this application').action(act(list))
      },
    },
    {
      name: 'show',
      summary: 'one environment with its history',
      description:
        'Shows the rules of an environment, what runs there, what stands in the way, and the latest attempts, failures included.',
      examples: [
        { command: 'shipway env show production', purpose: 'of this project' },
        { command: 'shipway env show production --app web --json', purpose: 'of another application, as JSON' },
      ],
      exits: [0, 2],
      define: (command, act) => {
        command
          .argument('<environment>', 'name of the environment')
          .option('--app <name>', 'application (default: of this project)')
          .action(act(show))
      },
    },
  ],
}

async function list(session: Session, flags: Flags): Promise<number> {
  const rows = await readHome(session, async (q) => knownEnvironments(session, q, flags.app))
  printList<EnvironmentView>(session, {
    kind: 'EnvironmentList',
    rows,
    columns: [
      { title: 'NAME', screen: (row) => row.name },
      { title: 'APP', screen: (row) => row.application },
      {
        title: 'VERSION',
        screen: (row) => (row.current === undefined ? '-' : shortVersion(row.current.version)),
        pipe: (row) => row.current?.version ?? '',
      },
      { title: 'FROM', screen: (row) => row.from.join(',') || 'any', shrink: 2 },
      { title: 'AFTER', screen: (row) => row.after.join(',') || '-', pipe: (row) => row.after.join(','), shrink: 1 },
      {
        title: 'APPROVALS',
        screen: (row) => String(row.approvals?.count ?? '-'),
        pipe: (row) => String(row.approvals?.count ?? 0),
      },
      { title: 'BLOCKED', screen: (row) => blockOf(row) || '-', pipe: blockOf },
    ],
    toJson: (row) => row,
    idOf: (row) => row.name,
    empty: 'No environment is defined. `shipway init` writes a shipway.yml.',
  })
  return 0
}

async function show(session: Session, name: string, flags: Flags): Promise<number> {
  const { environment, history } = await readHome(session, async (q) => {
    const environment = await findEnvironment(session, q, name, flags.app)
    const filter = { application: environment.application, environment: environment.name, limit: historyMax }
    return { environment, history: q === undefined ? [] : await viewDeployments(q, filter) }
  })
  if (session.isJson) {
    session.printJson({ apiVersion: 'v1', kind: 'Environment', ...environment, history })
    return 0
  }
  const { paint } = session.out
  const now = session.world.now()
  const { state, items } = whyEnvironment(environment)
  session.print(
    `${paint('bold', environment.name)} of ${environment.application} ${state}${environment.url === undefined ? '' : `  ${environment.url}`}`,
  )
  for (const item of items)
    session.print(
      `  ${{ note: '·', waiting: paint('yellow', '⏳'), red: paint('red', '✗') }[item.state]} ${item.message}${item.fix === undefined ? '' : ` ${paint('dim', `→ ${item.fix}`)}`}`,
    )
  for (const one of history) {
    const when = session.world.isTTY ? `${age(now, one.createdAt)} ago` : exactTime(one.createdAt)
    session.print(
      `  ${when.padEnd(8)}  ${one.mode} ${shortVersion(one.version)} by ${one.requestedBy}: ${one.conclusion ?? one.state}${one.planHash === undefined ? '' : `, plan ${shortDigest(one.planHash)}`}${tookAndReceipt(one)}${one.reason === undefined ? '' : `: ${one.reason.message}`}`,
    )
  }
  return 0
}

function blockOf(environment: EnvironmentView): string {
  return [
    environment.lock === undefined ? '' : `locked by ${environment.lock.by}`,
    environment.hold === undefined ? '' : 'held',
  ]
    .filter((text) => text !== '')
    .join(', ')
}
