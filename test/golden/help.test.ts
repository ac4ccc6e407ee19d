import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Command } from 'commander'
import type { CommandPage } from '#cli/command.ts'
import { exitCodes } from '#cli/exit-code.ts'
import { globalHeading, helpTopics } from '#cli/help.ts'
import { renderCliReference, silentWorld } from '#cli/reference.ts'
import { buildCommand } from '#cli/run-command.ts'
import { commandTable } from '#cli/table.ts'
import { startCliRig } from '../rig/cli-world.ts'

const visible = commandTable.filter((entry) => entry.isHidden !== true)
const frame = { world: silentWorld, exit: { code: 0 } }

test.for(['', 'help', '--help', '-h'])('`shipway %s` shows the commands', async (word) => {
  await using rig = await startCliRig()

  const end = await rig.run(word === '' ? [] : [word])

  expect(end).toMatchObject({ code: 0, stderr: '' })
  await expect(end.stdout).toMatchFileSnapshot('screen/help.txt')
})

test.for(visible.map((entry) => entry.name))('`shipway %s --help` is as reviewed', async (name) => {
  await using rig = await startCliRig()

  const end = await rig.run([name, '--help'])

  expect(end).toMatchObject({ code: 0, stderr: '' })
  await expect(end.stdout).toMatchFileSnapshot(`screen/help-${name}.txt`)
  expect((await rig.run(['help', name])).stdout).toBe(end.stdout)
})

test.for(Object.keys(helpTopics))('`shipway help %s` explains the topic', async (topic) => {
  await using rig = await startCliRig()

  const end = await rig.run(['help', topic])

  expect(end).toMatchObject({ code: 0, stderr: '' })
  await expect(end.stdout).toMatchFileSnapshot(`screen/help-topic-${topic}.txt`)
})

test('`shipway --version` prints one line', async () => {
  await using rig = await startCliRig()

  for (const word of ['--version', '-V', 'version']) {
    expect(await rig.run([word])).toEqual({ code: 0, stdout: 'shipway 0.1.0 (8556dce)\n', stderr: '' })
  }
})

test('every command has a description, examples that call it, known exit codes, and a text for each flag and argument', async () => {
  expect(new Set(commandTable.map((entry) => entry.name)).size).toBe(commandTable.length)
  let flags = 0
  for (const [path, command, page] of await everyCommand()) {
    const label = path.join(' ')
    expect(page.description.length, label).toBeGreaterThan(30)
    expect(page.examples.length, label).toBeGreaterThan(0)
    for (const example of page.examples) expect(example.command, label).toContain(`shipway ${path[0]}`)
    expect(page.exits.length, label).toBeGreaterThan(0)
    for (const code of page.exits) expect(exitCodes[code], `${label} ends with ${code}`).toBeDefined()
    for (const option of command.options) expect(option.description, `${label} ${option.flags}`).not.toBe('')
    for (const argument of command.registeredArguments)
      expect(argument.description, `${label} ${argument.name()}`).not.toBe('')
    flags += command.options.filter((option) => option.helpGroupHeading !== globalHeading).length
  }
  expect(flags).toBeGreaterThan(30)
})

test('every example can be parsed: its command, flags and arguments exist', async () => {
  const examples = (await everyCommand()).flatMap(([, , page]) => page.examples)

  for (const { command } of examples) await expect(parse(command), command).resolves.toBeUndefined()
  expect(examples.length).toBeGreaterThan(40)
})

test('docs/reference/cli.md is what `node tools/generate-docs.ts` writes', async () => {
  const written = await readFile(join(import.meta.dirname, '../../docs/reference/cli.md'), 'utf8')

  expect(written).toBe(await renderCliReference())
})

type Described = readonly [path: readonly string[], command: Command, page: CommandPage]

async function everyCommand(): Promise<readonly Described[]> {
  const all = await Promise.all(
    visible.map(async (entry) => {
      const page = await entry.load()
      return [...walk(buildCommand(entry, page, frame), page, [entry.name])]
    }),
  )
  return all.flat()
}

function* walk(command: Command, page: CommandPage, path: readonly string[]): Generator<Described> {
  yield [path, command, page]
  for (const sub of page.commands ?? []) {
    const child = command.commands.find((one) => one.name() === sub.name)
    if (child !== undefined) yield* walk(child, sub, [...path, sub.name])
  }
}

/** Parses the words of a call with the actions taken out; rejects when one of them does not exist. */
async function parse(call: string): Promise<void> {
  const words = wordsOf(call)
  const entry = commandTable.find((one) => one.name === words[0])
  if (entry === undefined) throw new Error(`There is no command ${words[0]}`)
  await buildCommand(entry, withoutActions(await entry.load()), frame).parseAsync(words.slice(1), { from: 'user' })
}

function withoutActions(page: CommandPage): CommandPage {
  const { define, commands } = page
  return {
    ...page,
    ...(define === undefined ? {} : { define: (command) => define(command, () => () => Promise.resolve()) }),
    ...(commands === undefined ? {} : { commands: commands.map((sub) => ({ ...sub, ...withoutActions(sub) })) }),
  }
}

/** The words after `shipway` as a shell splits them, up to a pipe, a redirection or the end of a substitution. */
function wordsOf(call: string): readonly string[] {
  const text = call.slice(call.indexOf('shipway ') + 'shipway '.length).replace(/\)$/, '')
  const words = text.match(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g) ?? []
  const end = words.findIndex((word) => word === '|' || word === '>')
  return (end === -1 ? words : words.slice(0, end)).map((word) => word.replaceAll(/["']/g, ''))
}

test('every command that a message or a comment of the source tells people to type exists', async () => {
  const root = join(import.meta.dirname, '../../src')
  const files = (await readdir(root, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const calls = new Set<string>()
  for (const name of files) {
    const text = await readFile(join(root, name), 'utf8')
    for (const [, call = ''] of text.matchAll(/`(shipway [a-z][^`\\\n]*)\\?`/g)) calls.add(fillIn(call))
  }

  const known = [...calls].filter(
    (call) => !/^shipway (?:help|__complete|serve|X|COMMAND)\b|^shipway (?:--|X)/.test(call),
  )
  for (const call of known) {
    const isMereName = /^shipway \w+$/.test(call)
    if (isMereName) expect(visible.map((entry) => `shipway ${entry.name}`)).toContain(call)
    else await expect(parse(call), call).resolves.toBeUndefined()
  }
  expect(known.length).toBeGreaterThan(30)
})

/** A call with something in place of what only the reader or the moment knows. */
function fillIn(call: string): string {
  return call
    .replaceAll(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, 'X')
    .replaceAll(/<[^>]*>|…/g, 'X')
    .trim()
}
