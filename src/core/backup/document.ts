import type { DatabaseWork } from './model.ts'

/** A backup or a restore as `--json` tells it. */
export function databaseWorkDocument(work: DatabaseWork): object {
  const { document, ...row } = work
  const { facts, ...more } = document
  return { ...row, ...more, ...facts }
}
