/** Lines that a commit added or changed, by path in the new tree, from `git diff -U0`. Deletions leave nothing to cover. */
export function changedLines(diff: string): ReadonlyMap<string, ReadonlySet<number>> {
  const files = new Map<string, Set<number>>()
  let lines: Set<number> | undefined
  /** Lines of the hunk that are still to come: their text may look like a header. */
  let inHunk = 0
  for (const line of diff.split('\n')) {
    if (inHunk > 0) {
      if (!line.startsWith('\\')) inHunk -= 1
      continue
    }
    if (line.startsWith('+++ ')) {
      const path = line.slice('+++ '.length).replace(/\t$/, '')
      lines = new Set()
      if (path !== '/dev/null') files.set(path.replace(/^b\//, ''), lines)
      continue
    }
    const [, removed, from, added] = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(line) ?? []
    if (from === undefined) continue
    const count = Number(added ?? 1)
    inHunk = Number(removed ?? 1) + count
    for (let offset = 0; offset < count; offset += 1) lines?.add(Number(from) + offset)
  }
  return files
}
