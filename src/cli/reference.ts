import { Readable } from 'node:stream'
import type { Command } from 'commander'
import { exitCodes } from './exit-code.ts'
import type { CommandPage } from './command.ts'
import { displayWidth } from './display-width.ts'
import { environmentVariables, globalHeading, groupTitles, helpTopics, usageOf } from './help.ts'
import { buildCommand, globalOptions } from './run-command.ts'
import type { CliServices } from './services.ts'
import { commandTable } from './table.ts'
import type { CliWorld } from './world.ts'

/** The reference page of the command line, made from the same tree as the help: `tools/generate-docs.ts` writes it. */
export async function renderCliReference(): Promise<string> {
  const parts = [
    '# The command line',
    'Made by `node tools/generate-docs.ts` from the commands themselves: do not edit.',
  ]
  for (const [group, title] of Object.entries(groupTitles)) {
    const entries = commandTable.filter((entry) => entry.group === group && entry.isHidden !== true)
    parts.push(`## ${title.charAt(0)}${title.slice(1).toLowerCase()}`)
    for (const entry of entries) {
      const page = await entry.load()
      const command = buildCommand(entry, page, { world: silentWorld, exit: { code: 0 } })
      parts.push(...commandParts(command, page, `shipway ${entry.name}`))
    }
  }
  parts.push(
    '## Flags of every command',
    table(
      ['flag', 'meaning'],
      globalOptions().map((option) => [code(option.flags), option.description]),
    ),
    '## Exit codes',
    table(['code', 'meaning'], Object.entries(exitCodes)),
    '## Environment variables',
    table(
      ['name', 'meaning'],
      environmentVariables.map(([name, meaning]) => [code(name), meaning]),
    ),
    '## Formats',
    `\`\`\`text\n${helpTopics['formatting']?.text() ?? ''}\n\`\`\``,
  )
  return `${parts.join('\n\n')}\n`
}

function commandParts(command: Command, page: CommandPage, title: string): readonly string[] {
  const own = command.options.filter((option) => option.helpGroupHeading !== globalHeading)
  const rows = [
    ...command.registeredArguments.map((argument) => [
      code(argument.required ? argument.name().toUpperCase() : `[${argument.name().toUpperCase()}]`),
      argument.description,
    ]),
    ...own.map((option) => [code(option.flags), option.description]),
  ]
  const subs = (page.commands ?? []).flatMap((sub) => {
    const child = command.commands.find((one) => one.name() === sub.name)
    return child === undefined ? [] : commandParts(child, sub, `${title} ${sub.name}`)
  })
  return [
    `### ${title}`,
    page.description.replaceAll('<', '&lt;'),
    `\`\`\`sh\n${usageOf(command)}\n\n${page.examples.map((example) => `${example.command} # ${example.purpose}`).join('\n')}\n\`\`\``,
    ...(rows.length === 0 ? [] : [table(['argument or flag', 'meaning'], rows)]),
    `Ends with ${page.exits.join(', ')}.`,
    ...subs,
  ]
}

/** A table with its columns in line, as the formatter of the repository wants it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')))
  const widths = head.map((_, index) => Math.max(3, ...cells.map((row) => displayWidth(row[index] ?? ''))))
  const pad = (text: string, index: number): string => text + ' '.repeat((widths[index] ?? 0) - displayWidth(text))
  const [first = [], ...others] = cells.map((row) => `| ${row.map(pad).join(' | ')} |`)
  return [first, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...others].join('\n')
}

function code(text: string): string {
  return `\`${text}\``
}

/** A world in which the tree of commands can be built and never run. */
export const silentWorld: CliWorld = {
  version: '',
  stdout: { write: () => true },
  stderr: { write: () => true },
  stdin: Readable.from([]),
  env: {},
  now: () => 0,
  isTTY: false,
  stderrIsTTY: false,
  stdinIsTTY: false,
  width: 80,
  cwd: '/',
  isRoot: false,
  machine: { os: 'linux', arch: 'x64' },
  onInterrupt: () => () => undefined,
  exit: () => undefined,
  services: {} as CliServices,
}
