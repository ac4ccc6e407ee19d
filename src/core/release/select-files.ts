import { matchesGlob } from '#core/project/glob.ts'

/**
 * Whether a file belongs to a release with these patterns. They are read in order, `!` takes back. A pattern that names a
 * folder means everything below it, as in `.gitignore`: `dist`, `dist/` and `dist/**` are the same.
 */
export function selectsFile(patterns: readonly string[], path: string): boolean {
  let isSelected = false
  for (const pattern of patterns) {
    const isNegative = pattern.startsWith('!')
    const body = (isNegative ? pattern.slice(1) : pattern).replace(/\/$/, '')
    if (matchesGlob(body, path) || matchesGlob(`${body}/**`, path)) isSelected = !isNegative
  }
  return isSelected
}
