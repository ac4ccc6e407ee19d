import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isInside } from '#core/step/path-pattern.ts'
import { searchFiles } from './file-search.ts'

const FOLLOW_LINKS = '--follow-symbolic-links'

/**
 * `hashFiles(…)`: SHA-256 over the SHA-256 digests of the files below the workspace that match, in order of their paths;
 * empty when there are none (actions-semantics 24).
 */
export function hashFiles(args: readonly string[], workspace: string): string {
  const followLinks = args[0]?.toLowerCase() === FOLLOW_LINKS
  const patterns = followLinks ? args.slice(1) : args
  const search = searchFiles(patterns.join('\n'), workspace, { includeHidden: true, followLinks })
  const files = search.files.filter((file) => isInside(file.path, workspace))
  if (files.length === 0) return ''
  const whole = createHash('sha256')
  for (const file of files) whole.update(createHash('sha256').update(readFileSync(file.path)).digest())
  return whole.digest('hex')
}
