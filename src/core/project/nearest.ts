/** The candidate that a writer most likely meant, or undefined: it begins so (`prod`), or at most a third of its letters differ. */
export function nearestName(written: string, candidates: readonly string[]): string | undefined {
  const longer =
    written.length < 3 ? [] : candidates.filter((name) => name.toLowerCase().startsWith(written.toLowerCase()))
  if (longer.length === 1) return longer[0]
  let best: { name: string; distance: number } | undefined
  for (const name of candidates) {
    const distance = editDistance(written.toLowerCase(), name.toLowerCase())
    if (distance <= Math.max(1, Math.floor(name.length / 3)) && (best === undefined || distance < best.distance))
      best = { name, distance }
  }
  return best?.name
}

/** Insertions, deletions, replacements and swaps of neighbours that turn one text into the other. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Number.POSITIVE_INFINITY
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1)
      next.push(cost)
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
