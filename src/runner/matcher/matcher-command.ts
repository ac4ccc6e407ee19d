import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseMatchers } from '#core/matcher/parse.ts'
import type { MatcherModel } from '#core/matcher/model.ts'
import type { JobRun } from '../job-run.ts'

/** Bytes of a file with matchers. */
const fileBytesMax = 1024 * 1024

/** `::add-matcher::path`. Returns why it cannot be done. */
export function addMatcher(job: JobRun, path: string): string | undefined {
  const read = readMatchers(job, path)
  if (typeof read === 'string') return read
  job.matchers.add(read)
  return undefined
}

/** `::remove-matcher owner=name::`, or all that a file names: `::remove-matcher::path`. Returns why it cannot be done. */
export function removeMatcher(
  job: JobRun,
  { owner, path }: { readonly owner: string; readonly path: string },
): string | undefined {
  const read = owner === '' ? readMatchers(job, path) : []
  if (typeof read === 'string') return read
  job.matchers.remove(owner === '' ? read.map((matcher) => matcher.owner) : [owner])
  return undefined
}

function readMatchers(job: JobRun, path: string): readonly MatcherModel[] | string {
  const { host } = job
  const file = host.outside(resolve(host.inside(job.order.paths.workspace), path))
  const text = readText(file)
  if (text === undefined)
    return `The file of problem matchers '${path}' cannot be read, or is longer than ${fileBytesMax} bytes.`
  const parsed = parseMatchers(text.replace(/^\uFEFF/, ''))
  return parsed.kind === 'matchers'
    ? parsed.matchers
    : `The problem matchers of '${path}' cannot be used: ${parsed.problem}.`
}

function readText(path: string): string | undefined {
  try {
    const file = openSync(path, 'r')
    try {
      const stat = fstatSync(file)
      return stat.isFile() && stat.size <= fileBytesMax ? readFileSync(file, 'utf8') : undefined
    } finally {
      closeSync(file)
    }
  } catch {
    return undefined
  }
}
