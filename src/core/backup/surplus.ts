import type { DatabaseWork } from './model.ts'

/** Backups of one environment whose files go, because `keep` newer good ones are there. A failed one has no file and does not count. */
export function surplusBackups(
  all: readonly DatabaseWork[],
  keep: number,
  needed: ReadonlySet<string>,
): readonly DatabaseWork[] {
  return all
    .filter(
      ({ kind, conclusion, removedAt }) => kind === 'backup' && conclusion === 'success' && removedAt === undefined,
    )
    .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
    .slice(keep)
    .filter(({ id }) => !needed.has(id))
}
