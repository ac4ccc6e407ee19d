import { readFile, readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import type { Check } from './check.ts'
import { fail, ok, skip, warn } from './check.ts'

/** Files of secrets that are looked at; a home has a few. */
const filesMax = 10_000

/**
 * Whether the files of secrets are what a deployment can read, and nobody else: a spoiled one gives nothing, and the deployment says only that the
 * secret is missing. Values are told nowhere.
 */
export async function checkSecrets(home: string): Promise<Check> {
  const root = join(home, homeLayout.secrets)
  const files = await jsonFiles(root)
  if (files === undefined) return skip('secrets', 'this user may not look at them')
  if (files.length === 0) return ok('secrets', 'none are kept')
  const named = (file: string): string => relative(home, file)
  const open: string[] = []
  for (const file of files) {
    const facts = await stat(file).catch(() => undefined)
    // It has just gone: the run that it was for has ended.
    if (facts === undefined) continue
    const problem = facts.isFile() ? await problemOf(file) : 'it is no plain file'
    if (problem !== undefined)
      return fail('secrets', `${named(file)}: ${problem}`, 'Write an object of texts into it: {"NAME": "value"}.')
    if ((facts.mode & 0o077) !== 0) open.push(file)
  }
  if (open.length === 0) return ok('secrets', `${files.length} ${files.length === 1 ? 'file' : 'files'}`)
  return warn(
    'secrets',
    `other users of this machine may read ${open.map((file) => named(file)).join(', ')}`,
    `chmod 600 ${open.join(' ')}`,
  )
}

async function jsonFiles(root: string): Promise<readonly string[] | undefined> {
  try {
    const names = await readdir(root, { recursive: true })
    return (
      names
        // What stands below versions/ is Shipway's own, and of another form.
        .filter((name) => name.endsWith('.json') && !name.startsWith('versions/'))
        .toSorted()
        .slice(0, filesMax)
        .map((name) => join(root, name))
    )
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? [] : undefined
  }
}

/** The error of the parser quotes what it reads: it is not repeated. */
async function problemOf(file: string): Promise<string | undefined> {
  let value: Json
  try {
    value = JSON.parse(await readFile(file, 'utf8')) as Json
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    return code === undefined ? 'it is no JSON' : `it cannot be read (${code})`
  }
  if (!isJsonObject(value)) return 'it is no object of texts'
  const odd = Object.entries(value).find(([, one]) => typeof one !== 'string')
  return odd === undefined ? undefined : `the value of ${odd[0]} is no text`
}
