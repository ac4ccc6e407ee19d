import { demoExpectationFailed } from '#core/known/demo.ts'
import { applyEdits } from './commit.ts'
import type { StoryCommit } from './commit.ts'
import type { DemoShell } from './demo-shell.ts'
import type { DemoOptions, DemoWorld } from '#cli/services.ts'
import type { Narrator } from './narrator.ts'
import { askVersion } from './request-load.ts'
import type { DemoTarget, Scratch } from './scratch.ts'
import { readEnvironments, readRuns } from './state-document.ts'
import type { EnvironmentState } from './state-document.ts'

/** What every act of the story works with. */
export interface Story {
  readonly world: DemoWorld
  readonly options: DemoOptions
  readonly narrator: Narrator
  readonly scratch: Scratch
  readonly shell: DemoShell
  readonly signal: AbortSignal
}

/** Longest time that a service on this machine may take to answer. */
const answerMsMax = 10_000

/** Edits the files and commits them, before the reader's eyes. */
export async function commit(story: Story, change: StoryCommit): Promise<void> {
  await applyEdits(story.scratch.repository, change.edits)
  await story.shell.prepare(['git', 'add', '--all'])
  await story.shell.type(['git', 'commit', '--quiet', '-m', change.message], 0)
}

/** A command whose progress is shown: with all its logs where somebody watches, a line for each change where they are kept. */
export function watched(story: Story, ...words: readonly string[]): readonly string[] {
  return ['shipway', ...words, ...(story.world.isTTY ? [] : ['--no-logs'])]
}

/** Id of the run that was started last. */
export async function latestRun(story: Story): Promise<string> {
  const [latest] = readRuns(await story.shell.ask(['shipway', 'ps']))
  if (latest !== undefined) return latest.id
  throw demoExpectationFailed({ expected: 'a run in `shipway ps --json`', found: 'none' })
}

/** The version that answers at the target: the service's own word, over HTTP. */
export async function versionAt(target: DemoTarget): Promise<string> {
  const url = `${target.url}version`
  try {
    return await askVersion(url, answerMsMax)
  } catch (error) {
    throw demoExpectationFailed({ expected: `a version at ${url}`, found: `no answer (${String(error)})` })
  }
}

export async function expectVersion(target: DemoTarget, expected: string): Promise<void> {
  const found = await versionAt(target)
  if (found !== expected) throw demoExpectationFailed({ expected: `${expected} at ${target.url}`, found })
}

/** Nobody listens there. */
export async function expectSilence(target: DemoTarget): Promise<void> {
  const found = await askVersion(`${target.url}version`, answerMsMax).catch(() => undefined)
  if (found !== undefined) throw demoExpectationFailed({ expected: `nothing at ${target.url}`, found })
}

/** One environment as `shipway status --json` tells it. */
export async function environmentState(story: Story, name: string): Promise<EnvironmentState> {
  const environments = readEnvironments(await story.shell.ask(['shipway', 'status']))
  const found = environments.find((environment) => environment.name === name)
  if (found !== undefined) return found
  const known = environments.map((environment) => environment.name).join(', ')
  throw demoExpectationFailed({
    expected: `${name} in \`shipway status --json\``,
    found: known === '' ? 'nothing' : known,
  })
}
