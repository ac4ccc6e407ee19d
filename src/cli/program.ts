import { asciiWorld } from './ascii.ts'
import { nearestName } from '#core/project/nearest.ts'
import { commandUnknown } from '#core/known/cli.ts'
import type { CommandEntry } from './command.ts'
import { takeLeadingFlags } from './leading-flags.ts'
import { commandTable } from './table.ts'
import { tameWorld } from './tame.ts'
import type { GlobalOptions } from './session.ts'
import type { CliWorld } from './world.ts'

/**
 * One call of `shipway`: reads the first word and loads only what it names, so that `--version` and the help cost nothing.
 * Resolves with the exit status and never throws.
 */
export async function runCli(argv: readonly string[], realWorld: CliWorld): Promise<number> {
  const world = asciiWorld(tameWorld(realWorld), { ascii: hasFlag(argv, '--ascii'), json: hasFlag(argv, '--json') })
  const { flags, words } = takeLeadingFlags(argv)
  const [first, ...rest] = words
  if (first === '--version' || first === '-V' || first === 'version') {
    world.stdout.write(`shipway ${world.version}\n`)
    return 0
  }
  const options = globalFlagsOf(argv)
  try {
    if (first === undefined || first === '--help' || first === '-h') return await showRootHelp(world, options)
    if (first === 'help') return await showHelp(rest, world, options)
    const entry = commandTable.find((candidate) => candidate.name === first)
    if (entry === undefined) throw unknownCommand(first)
    const { runCommand } = await import('./run-command.ts')
    return await runCommand(entry, rest, { world, flags })
  } catch (error) {
    const { endWithFailure } = await import('./failure.ts')
    return endWithFailure(world, options, error)
  }
}

/** `shipway help`, `shipway help run`, `shipway help exit-codes`. */
async function showHelp(words: readonly string[], world: CliWorld, options: GlobalOptions): Promise<number> {
  const [name, ...more] = words.filter((word) => !word.startsWith('-'))
  if (name === undefined) return showRootHelp(world, options)
  const { helpTopics } = await import('./help.ts')
  const topic = helpTopics[name]
  if (topic !== undefined) {
    world.stdout.write(`${topic.text()}\n`)
    return 0
  }
  const entry = commandTable.find((candidate) => candidate.name === name)
  if (entry === undefined) throw unknownCommand(name)
  const { runCommand } = await import('./run-command.ts')
  return runCommand(entry, [...more, '--help'], { world, flags: [] })
}

async function showRootHelp(world: CliWorld, options: GlobalOptions): Promise<number> {
  const [{ renderRootHelp }, { makePalette }] = await Promise.all([import('./help.ts'), import('./palette.ts')])
  world.stdout.write(renderRootHelp(commandTable, makePalette(world, world.isTTY, options.color).paint))
  return 0
}

function unknownCommand(name: string): Error {
  const names = commandTable.filter((entry: CommandEntry) => entry.isHidden !== true).map((entry) => entry.name)
  const nearest = name.startsWith('-') ? undefined : nearestName(name, names)
  return commandUnknown({ name, ...(nearest === undefined ? {} : { nearest }) })
}

/** Before anything is parsed: `--` ends the flags. */
function hasFlag(argv: readonly string[], flag: string): boolean {
  const at = argv.indexOf(flag)
  const end = argv.indexOf('--')
  return at !== -1 && (end === -1 || at < end)
}

/** How a failure is to be told, before anything has been parsed: it must hold for a call that cannot be parsed too. */
function globalFlagsOf(argv: readonly string[]): GlobalOptions {
  const end = argv.indexOf('--')
  const flags = new Set(end === -1 ? argv : argv.slice(0, end))
  const colour = flags.has('--no-color') ? false : flags.has('--color') ? true : undefined
  const joined = [...flags].find((word) => word.startsWith('--home='))?.slice('--home='.length)
  const home = flags.has('--home') ? argv[argv.indexOf('--home') + 1] : joined
  return {
    json: flags.has('--json'),
    debug: flags.has('--debug'),
    ...(colour === undefined ? {} : { color: colour }),
    ...(home === undefined ? {} : { home }),
  }
}
