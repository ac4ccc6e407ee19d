import type { Command } from 'commander'
import { viewReleases, viewRuns, viewDeployments } from '#store/view.ts'
import { readArtifacts } from '../artifact/read-artifacts.ts'
import type { CommandPage } from '../command.ts'
import { knownEnvironments } from '../find-environment.ts'
import { helpTopics } from '../help.ts'
import { takeLeadingFlags } from '../leading-flags.ts'
import { findSubject, readFilledHome, readHome } from '../open-home.ts'
import { savedHashes } from '../plan-file.ts'
import { buildCommand } from '../run-command.ts'
import type { Session } from '../session.ts'
import { commandTable } from '../table.ts'

/** Names of the store that are offered. */
const namesMax = 50

export const page: CommandPage = {
  description:
    'Prints candidates for the last of the given words, one per line. The scripts of `shipway completion` call it.',
  examples: [{ command: 'shipway __complete -- deploy ""', purpose: 'environments' }],
  exits: [0],
  define: (command, act) => {
    command.argument('[words...]', 'the words after the program, the last one is completed').action(act(complete))
  },
}

async function complete(session: Session, words: readonly string[]): Promise<number> {
  const current = words.at(-1) ?? ''
  for (const candidate of new Set(await candidates(session, words)))
    if (candidate.startsWith(current)) session.print(candidate)
  return 0
}

async function candidates(session: Session, typed: readonly string[]): Promise<readonly string[]> {
  // The word under the cursor stays, whatever it begins with.
  const words = [...takeLeadingFlags(typed.slice(0, -1)).words, ...typed.slice(-1)]
  const [name, ...rest] = words
  const names = commandTable.filter((entry) => entry.isHidden !== true).map((entry) => entry.name)
  if (name === undefined || words.length === 1) return [...names, 'help', '--version', '--help']
  if (name === 'help') return [...names, ...Object.keys(helpTopics)]
  const entry = commandTable.find((candidate) => candidate.name === name)
  if (entry === undefined) return []
  const top = buildCommand(entry, await entry.load(), { world: session.world, exit: { code: 0 } })
  const second = top.commands.find((sub) => sub.name() === rest[0])
  if (top.commands.length > 0 && (second === undefined || rest.length === 1))
    return top.commands.map((sub) => sub.name())
  const command = second ?? top
  const own = second === undefined ? rest : rest.slice(1)
  if ((own.at(-1) ?? '').startsWith('-')) return command.options.map((option) => option.long ?? option.short ?? '')
  return argumentCandidates(session, command, own)
}

async function storedActions(session: Session): Promise<readonly string[]> {
  const store = await session.services.actions(session.home)
  return (await store.list()).map(({ repository, ref }) => `${repository}@${ref}`)
}

/** Which kind of name the word under the cursor is: told by the name of the argument, or of the flag before it. */
async function argumentCandidates(
  session: Session,
  command: Command,
  words: readonly string[],
): Promise<readonly string[]> {
  const before = words.at(-2)
  const flag = command.options.find((option) => before !== undefined && [option.long, option.short].includes(before))
  const isValue = flag !== undefined && (flag.required || flag.optional)
  const position = words.slice(0, -1).filter((word) => !word.startsWith('-')).length
  const kind = isValue
    ? flag.attributeName()
    : (command.registeredArguments[position] ?? command.registeredArguments.findLast((one) => one.variadic))?.name()
  if (kind === 'artifact') return artifactNames(session, words[0] ?? 'latest')
  return kind === undefined ? [] : namesOf(session, kind)
}

/** Of the run that was typed before it; none when that is no run. */
async function artifactNames(session: Session, run: string): Promise<readonly string[]> {
  const found = await readFilledHome(session, async (q) => findSubject(session, q, run)).catch(() => undefined)
  return found === undefined ? [] : (await readArtifacts(session.home, found.id)).map(({ name }) => name)
}

async function namesOf(session: Session, kind: string): Promise<readonly string[]> {
  switch (kind) {
    case 'event':
      return ['push', 'pull_request', 'workflow_dispatch', 'tag', 'schedule']
    case 'name':
    case 'names':
      return storedActions(session)
    case 'plan':
      return savedHashes(session.home).slice(0, namesMax)
    case 'shell':
      return ['bash', 'zsh', 'fish']
    case 'environment':
    case 'release':
    case 'to':
    case 'run':
    case 'subject':
    case 'app':
      return readHome(session, async (q) => {
        const environments = await knownEnvironments(session, q)
        if (kind === 'app') return environments.map((one) => one.application)
        const releases = q === undefined ? [] : (await viewReleases(q, { limit: namesMax })).map((one) => one.version)
        const runs = q === undefined ? [] : (await viewRuns(q, { limit: namesMax })).map((one) => one.id)
        const deployments = q === undefined ? [] : (await viewDeployments(q, { limit: namesMax })).map((one) => one.id)
        if (kind === 'environment') return environments.map((one) => one.name)
        if (kind === 'run') return ['latest', ...runs]
        if (kind === 'subject')
          return ['latest', ...environments.map((one) => one.name), ...releases, ...runs, ...deployments]
        return ['latest', ...releases]
      })
    default:
      return []
  }
}
