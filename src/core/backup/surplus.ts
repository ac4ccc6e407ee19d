import type { DatabaseWork } from './model.ts'

/**
 * Backups of one environment whose files go, because `keep` newer good ones are there. A failed one has no file and does not count. What was there
 * before a restore is counted apart: two attempts to restore must not push out the backup that somebody wants back.
 */
export function surplusBackups(
  all: readonly DatabaseWork[],
  keep: number,
  needed: ReadonlySet<string>,
): readonly DatabaseWork[] {
  const good = all
    .filter(
      ({ kind, conclusion, removedAt }) => kind === 'backup' && conclusion === 'success' && removedAt === undefined,
    )
    .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  const isOfRestore = ({ document }: DatabaseWork): boolean => document.restore !== undefined
  const kept = new Set([
    ...good.filter(isOfRestore).slice(0, keep),
    ...good.filter((work) => !isOfRestore(work)).slice(0, keep),
  ])
  return good.filter((work) => !kept.has(work) && !needed.has(work.id))
}
