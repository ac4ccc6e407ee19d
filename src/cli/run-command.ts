import { Command, CommanderError, Option } from 'commander'
import { callInvalid, flagInvalid, secondWordUnknown } from '#core/known/cli.ts'
import { nearestName } from '#core/project/nearest.ts'
import type { CommandEntry, CommandPage } from './command.ts'
import { globalHeading, renderCommandHelp } from './help.ts'
import { makePalette } from './palette.ts'
import { openSession } from './session.ts'
import type { GlobalOptions } from './session.ts'
import type { CliWorld } from './world.ts'

/** Loads one command and runs it with the words that follow its name. `flags`: global flags that stood before it. */
export async function runCommand(
  entry: CommandEntry,
  rest: readonly string[],
  { world, flags }: { readonly world: CliWorld; readonly flags: readonly string[] },
): Promise<number> {
  const page = await entry.load()
  // Only the last word of the name knows the flags: `release list`.
  const named = page.commands === undefined ? 0 : 1
  const words = [...rest.slice(0, named), ...flags, ...rest.slice(named)]
  const exit = { code: 0 }
  const command = buildCommand(entry, page, { world, exit })
  try {
    await command.parseAsync(words, { from: 'user' })
    return exit.code
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    throw callInvalid({ problem: error.message, usage: `shipway ${entry.name} --help` })
  }
}

interface Frame {
  readonly world: CliWorld
  /** Where an action leaves the exit status. */
  readonly exit: { code: number }
}

/** The commander tree of one command, for a call, for the documentation and for completion. */
export function buildCommand(entry: Pick<CommandEntry, 'name' | 'summary'>, page: CommandPage, frame: Frame): Command {
  const root = new Command('shipway')
  const command = new Command(entry.name)
  prepare(command, entry.summary, page, frame)
  command.parent = root
  return command
}

function prepare(command: Command, summary: string, page: CommandPage, frame: Frame): void {
  const { world } = frame
  const palette = makePalette(world, world.isTTY, undefined)
  command
    .summary(summary)
    .exitOverride()
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .allowExcessArguments(false)
    .configureOutput({ writeOut: (text) => world.stdout.write(text), writeErr: () => {}, outputError: () => {} })
    .configureHelp({ formatHelp: () => renderCommandHelp(command, page, { paint: palette.paint, width: world.width }) })
  for (const sub of page.commands ?? []) {
    const child = command.createCommand(sub.name)
    command.addCommand(child)
    prepare(child, sub.summary, sub, frame)
  }
  if (page.define !== undefined) {
    page.define(command, (action) => async (...values) => {
      refuseEmptyWords(command)
      const session = openSession(world, command.opts<GlobalOptions>())
      frame.exit.code = await action(session, ...values.slice(0, -1))
    })
    for (const option of globalOptions()) command.addOption(option)
  } else {
    command.allowExcessArguments(true).action(() => {
      const [word] = command.args
      const names = command.commands.map((sub) => sub.name())
      throw secondWordUnknown({ command: command.name(), word, names, nearest: nearestName(word ?? '', names) })
    })
  }
}

/**
 * A variable that is not set leaves an empty word in a script's call: `shipway cancel "$ID"`. Each id begins with it, and it is a path to where one
 * stands, so it must never be looked for. Words to complete may be empty.
 */
function refuseEmptyWords(command: Command): void {
  const empty = command.registeredArguments.find((one, at) => !one.variadic && command.processedArgs[at] === '')
  if (empty !== undefined)
    throw callInvalid({
      problem: `the argument "${empty.name()}" is empty`,
      usage: `shipway ${[command.parent?.name(), command.name()].filter((name) => name !== 'shipway').join(' ')} --help`,
    })
  if (command.opts<GlobalOptions>().home === '') throw flagInvalid({ flag: '--home', value: '', expected: 'a folder' })
}

/** Flags that every command has. */
export function globalOptions(): readonly Option[] {
  return [
    new Option('-C <dir>', 'work as if started in this folder'),
    new Option('--home <dir>', 'state home (default $SHIPWAY_HOME)'),
    new Option('--json', 'print one versioned JSON document'),
    new Option('-q, --quiet', 'ids or names only, no progress'),
    new Option('--color', 'colours also into a pipe'),
    new Option('--no-color', 'no colours'),
    new Option('--ascii', 'ASCII instead of symbols; a terminal without UTF-8 has them anyway'),
    new Option('--debug', 'show the stack of an unexpected error'),
  ].map((option) => option.helpGroup(globalHeading))
}
