import type { Argument, Command, Option } from 'commander'
import { exitCodes } from './exit-code.ts'
import type { CommandEntry, CommandPage } from './command.ts'
import type { Palette } from './palette.ts'
import { wrap } from './wrap.ts'

export const groupTitles: Readonly<Record<CommandEntry['group'], string>> = {
  start: 'START',
  look: 'LOOK',
  ship: 'SHIP',
  care: 'TAKE CARE',
  more: 'MORE',
}

/** Environment variables that change what Shipway does: `shipway help environment`. */
export const environmentVariables: readonly (readonly [string, string])[] = [
  ['SHIPWAY_HOME', 'state home; default /var/lib/workflow for root, else $XDG_STATE_HOME/workflow'],
  ['XDG_STATE_HOME', 'where state homes of users are; default ~/.local/state'],
  ['XDG_CACHE_HOME', 'where Node keeps what it has compiled of Shipway; default ~/.cache, if it is private'],
  ['NO_COLOR', 'not empty: no colours'],
  ['FORCE_COLOR', '1: colours also into a pipe, 0: none'],
  ['CLICOLOR, CLICOLOR_FORCE', '0: no colours; CLICOLOR_FORCE=1: also into a pipe'],
  ['TERM', 'dumb: no colours'],
  ['CI', 'not empty: no footer that redraws itself'],
  ['SHIPWAY_ACTOR', 'name that requests and decisions are recorded with; default the user of this machine'],
]

const formatting = `A result goes to standard output; progress, questions, warnings and errors go to standard error.

On a terminal a list has a header, colours, ages (3h) and columns cut to the width. In a pipe it has none of these: the columns are
separated by tabs, nothing is cut, times are RFC 3339 and release ids have all 64 digits. So \`cut -f1\` and \`awk -F'\\t'\` work.

--json    prints one document, {"apiVersion":"v1","kind":…}, lists under "items". Fields are added, never renamed or removed.
          An error is {"apiVersion":"v1","kind":"Error","error":{"code","message","why","fix"}}: decide by the code.
-q        prints ids or names only, one per line, and no progress.
--color, --no-color   override NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE and TERM.`

/** Texts of `shipway help TOPIC`. */
export const helpTopics: Readonly<Record<string, { readonly summary: string; readonly text: () => string }>> = {
  'exit-codes': {
    summary: 'what each exit status means',
    text: () =>
      Object.entries(exitCodes)
        .map(([code, meaning]) => `${code.padStart(3)}  ${meaning}`)
        .join('\n'),
  },
  formatting: { summary: 'terminal, pipe, JSON, colours', text: () => formatting },
  environment: {
    summary: 'environment variables that Shipway reads',
    text: () => environmentVariables.map(([name, meaning]) => `${name.padEnd(26)}${meaning}`).join('\n'),
  },
}

/** Help of the program: shown without arguments too. */
export function renderRootHelp(entries: readonly CommandEntry[], paint: Palette['paint']): string {
  const sections = Object.entries(groupTitles).map(([group, title]) => {
    const own = entries.filter((entry) => entry.group === group && entry.isHidden !== true)
    return section(
      title,
      own.map((entry) => [entry.name, entry.summary]),
      paint,
    )
  })
  const topics = Object.entries(helpTopics).map(([name, topic]) => [`help ${name}`, topic.summary] as const)
  return `${[
    'Takes a commit to production in stages, and says what is where, why, and on whose word.',
    `${paint('bold', 'USAGE')}\n  shipway COMMAND [FLAGS]`,
    ...sections,
    section('HELP', [...topics, ['COMMAND --help', 'a command with its flags and examples']], paint),
    section(
      'EXAMPLES',
      [
        ['shipway init', 'write a workflow and shipway.yml for this project'],
        ['shipway run', 'run what a push of this commit would run'],
        ['shipway status', 'which version is where, and what waits'],
      ],
      paint,
    ),
  ].join('\n\n')}\n`
}

/** Help of one command: purpose, usage, examples, then everything else. */
export function renderCommandHelp(
  command: Command,
  page: CommandPage,
  view: { readonly paint: Palette['paint']; readonly width: number },
): string {
  const { paint, width } = view
  const own = command.options.filter((option) => !option.hidden && option.helpGroupHeading !== globalHeading)
  const global = command.options.filter((option) => option.helpGroupHeading === globalHeading)
  const blocks = [
    wrap(page.description, Math.min(width, 100)),
    `${paint('bold', 'USAGE')}\n  ${usageOf(command)}`,
    section(
      'EXAMPLES',
      page.examples.map((example) => [example.command, example.purpose]),
      paint,
    ),
    section(
      'COMMANDS',
      command.commands.map((sub) => [sub.name(), sub.summary()]),
      paint,
    ),
    section(
      'ARGUMENTS',
      command.registeredArguments.map((argument) => [argumentTerm(argument), argumentText(argument)]),
      paint,
    ),
    section(
      'FLAGS',
      own.map((option) => [option.flags, optionText(option)]),
      paint,
    ),
    section(
      'GLOBAL FLAGS',
      global.map((option) => [option.flags, optionText(option)]),
      paint,
    ),
    section(
      'EXIT CODES',
      page.exits.map((code) => [String(code), exitCodes[code] ?? '']),
      paint,
    ),
  ]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

/** Heading that marks the flags which every command has. */
export const globalHeading = 'GLOBAL FLAGS'

export function usageOf(command: Command): string {
  const names: string[] = []
  for (let current: Command | null = command; current !== null; current = current.parent) names.unshift(current.name())
  const words =
    command.commands.length > 0 ? ['COMMAND'] : command.registeredArguments.map((argument) => argumentTerm(argument))
  return [...names, ...words, '[FLAGS]'].join(' ')
}

function argumentTerm(argument: Argument): string {
  const name = `${argument.name().toUpperCase()}${argument.variadic ? '…' : ''}`
  return argument.required ? name : `[${name}]`
}

function argumentText(argument: Argument): string {
  return argument.argChoices === undefined
    ? argument.description
    : `${argument.description} (${argument.argChoices.join(', ')})`
}

function optionText(option: Option): string {
  const shown = option.defaultValue as unknown
  const fallback = typeof shown === 'string' || typeof shown === 'number' ? ` (default ${shown})` : ''
  return `${option.description}${fallback}`
}

function section(title: string, rows: readonly (readonly [string, string])[], paint: Palette['paint']): string {
  if (rows.length === 0) return ''
  const termWidth = Math.min(44, Math.max(...rows.map(([term]) => term.length)))
  const lines = rows.map(([term, text]) =>
    term.length > termWidth
      ? `  ${term}\n  ${' '.repeat(termWidth)}  ${text}`
      : `  ${term.padEnd(termWidth)}  ${text}`.trimEnd(),
  )
  return `${paint('bold', title)}\n${lines.join('\n')}`
}
