import { runDaysDefault } from '#core/home/retention.ts'
import { callInvalid } from '#core/known/cli.ts'
import type { CommandPage } from '../command.ts'
import type { Check, CheckGroup } from '../doctor/check.ts'
import { fail } from '../doctor/check.ts'
import { pruneCommand } from '../doctor/prune.ts'
import { checkHome } from '../doctor/home.ts'
import { checkMachine } from '../doctor/machine.ts'
import { checkProject, checkTargets } from '../doctor/project.ts'
import { parseCount } from '../pairs.ts'
import type { Session } from '../session.ts'

interface Flags {
  readonly targets?: boolean
  readonly prune?: boolean
  readonly dryRun?: boolean
  readonly olderThan?: number
}

export const page: CommandPage = {
  description:
    'Checks what Shipway needs: programs, the state home, the store, the clock, the project and its targets: whether they answer, what runs there, and what deployments need there (a folder, disk space, tools; for services an engine, compose and nginx). It goes on after a failure, and says for everything that is not right what to do. With --prune it checks nothing and clears the state home out: files of runs that ended long ago, artifacts whose retention-days are over, contents that no artifact and no release names, commits of actions that nothing has used as long, and former values of secrets of environments that the rules no longer name and nobody has deployed to as long. What a release, a deployment, a running job or an upload needs stays; an agent that stays does the same once a day.',
  examples: [
    { command: 'shipway doctor', purpose: 'everything' },
    { command: 'shipway doctor --no-targets', purpose: 'without connecting to the targets' },
    { command: 'shipway doctor --json', purpose: 'for a program' },
    { command: 'shipway doctor --prune --dry-run', purpose: 'what could be removed from the home' },
  ],
  exits: [0, 1, 2, 3],
  define: (command, act) => {
    command
      .option('--no-targets', 'connect to no target')
      .option('--prune', 'check nothing; remove what nobody needs any more')
      .option(
        '--older-than <days>',
        `with --prune: how long what has ended is kept (default: ${runDaysDefault})`,
        parseCount('--older-than'),
      )
      .option('--dry-run', 'with --prune: say what would go, and remove nothing')
      .action(act(doctor))
  },
}

async function doctor(session: Session, flags: Flags): Promise<number> {
  if (flags.prune === true)
    return pruneCommand(session, { runDays: flags.olderThan ?? runDaysDefault, isDryRun: flags.dryRun === true })
  for (const [flag, value] of Object.entries({ '--older-than': flags.olderThan, '--dry-run': flags.dryRun }))
    if (value !== undefined) throw callInvalid({ problem: `${flag} needs --prune`, usage: 'shipway doctor --help' })
  const project = await guarded('project', async () => checkProject(session))
  const hasProject = !('status' in project)
  const groups: readonly CheckGroup[] = [
    { name: 'machine', checks: await guardedList('machine', checkMachine) },
    { name: 'home', checks: await guardedList('home', async () => checkHome(session)) },
    { name: 'project', checks: hasProject ? project.checks : [project] },
    ...(flags.targets === false || !hasProject
      ? []
      : [
          {
            name: 'targets',
            checks: await guardedList('targets', async () => checkTargets(session, project.config, project.root)),
          },
        ]),
  ]
  const isRed = groups.some(({ checks }) => checks.some(({ status }) => status === 'fail'))
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'DoctorReport',
      ok: !isRed,
      items: groups.flatMap(({ name, checks }) => checks.map((check) => ({ group: name, ...check }))),
    })
  else for (const group of groups) printGroup(session, group)
  return isRed ? 1 : 0
}

/** A check that breaks is a failed check: the ones after it are still made. */
async function guarded<T>(name: string, work: () => Promise<T>): Promise<T | Check> {
  try {
    return await work()
  } catch (error) {
    return fail(
      name,
      `the check itself failed: ${error instanceof Error ? error.message : String(error)}`,
      'Repeat with --debug and report it.',
    )
  }
}

async function guardedList(name: string, work: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  const found = await guarded(name, work)
  return 'status' in found ? [found] : found
}

function printGroup(session: Session, group: CheckGroup): void {
  const shown = session.isQuiet ? group.checks.filter(({ status }) => status === 'fail') : group.checks
  const { paint } = session.out
  const colours = { ok: 'green', warn: 'yellow', fail: 'red', skip: 'dim' } as const
  if (session.world.isTTY && shown.length > 0) session.print(paint('bold', group.name))
  for (const { name, status, found, fix } of shown) {
    if (session.world.isTTY)
      session.print(
        `  ${paint(colours[status], status.padEnd(4))}  ${name.padEnd(14)}  ${found}${fix === undefined ? '' : `\n        ${paint('bold', 'fix:')} ${fix}`}`,
      )
    else
      session.print([group.name, name, status, found, fix ?? ''].map((text) => text.replaceAll(/\s+/g, ' ')).join('\t'))
  }
}
