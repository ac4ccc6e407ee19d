import type { CommandPage } from '../command.ts'
import type { Check, CheckGroup } from '../doctor/check.ts'
import { fail } from '../doctor/check.ts'
import { checkHome } from '../doctor/home.ts'
import { checkMachine } from '../doctor/machine.ts'
import { checkProject, checkTargets } from '../doctor/project.ts'
import type { Session } from '../session.ts'

interface Flags {
  readonly targets?: boolean
}

export const page: CommandPage = {
  description:
    'Checks what Shipway needs: programs, the state home, the store, the clock, the project and its targets. It goes on after a failure, and says for everything that is not right what to do.',
  examples: [
    { command: 'shipway doctor', purpose: 'everything' },
    { command: 'shipway doctor --no-targets', purpose: 'without connecting to the targets' },
    { command: 'shipway doctor --json', purpose: 'for a program' },
  ],
  exits: [0, 1],
  define: (command, act) => {
    command.option('--no-targets', 'connect to no target').action(act(doctor))
  },
}

async function doctor(session: Session, flags: Flags): Promise<number> {
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
