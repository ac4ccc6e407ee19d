import { createHash } from 'node:crypto'
import type { Release } from '#core/release/model.ts'

/** A sealed release without a file, for what deploys by a version alone. */
export function someRelease(version: string): Release {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
  return {
    id: digest(version),
    manifest: {
      schema: 'shipway.release/1',
      application: 'web',
      version,
      source: { sha: digest(version).slice(0, 40), ref: `refs/tags/${version}`, dirty: false },
      files: [],
      environments: {},
      evidence: [],
    },
    sealedBy: 'ada',
    createdAt: 0,
  }
}
