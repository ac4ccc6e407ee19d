import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A change of one file: `from` stands in it exactly once. */
export interface Edit {
  readonly file: string
  readonly from: string
  readonly to: string
}

/** What a developer of the example does in the story, one commit each, in this order. */
export interface StoryCommit {
  readonly message: string
  readonly edits: readonly Edit[]
}

const cacheCheck = `  cache: (env) => (env.CACHE_URL ? undefined : 'CACHE_URL is not set.'),\n`
const afterChecks = "? undefined : 'The greeting is wrong.'),\n"

/** Works everywhere. */
export const firstCommit: StoryCommit = { message: 'Greet the world', edits: [] }

/** A unit test knows better. */
export const failingCommit: StoryCommit = {
  message: 'Say good morning until one o’clock',
  edits: [{ file: 'lib/greeting.js', from: 'hour < 12', to: 'hour < 13' }],
}

/** No test sees it: the service starts, but it misses a setting that no environment has. */
export const unhealthyCommit: StoryCommit = {
  message: 'Morning ends at noon; keep greetings in a cache',
  edits: [
    { file: 'lib/greeting.js', from: 'hour < 13', to: 'hour < 12' },
    { file: 'lib/health.js', from: afterChecks, to: afterChecks + cacheCheck },
  ],
}

/** The second release. */
export const secondCommit: StoryCommit = {
  message: 'Leave the cache out, and paint the page green',
  edits: [
    { file: 'lib/health.js', from: cacheCheck, to: '' },
    { file: 'lib/page.js', from: '#2563eb', to: '#16a34a' },
  ],
}

/** Edits the files of a commit; making the commit is git's work. */
export async function applyEdits(repository: string, edits: readonly Edit[]): Promise<void> {
  for (const { file, from, to } of edits) {
    const path = join(repository, file)
    await writeFile(path, replaceOnce(await readFile(path, 'utf8'), from, to))
  }
}

/** Throws when `from` stands in the text not at all or twice: then the example has changed and the story must follow. */
export function replaceOnce(text: string, from: string, to: string): string {
  const parts = text.split(from)
  if (parts.length !== 2) throw new Error(`"${from}" stands ${parts.length - 1} times in the text, not once`)
  return parts.join(to)
}
