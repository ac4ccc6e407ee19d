/** What a full git ref stands for. */
export interface RefParts {
  readonly type: 'branch' | 'tag'
  /** Short name: `main`, `v1.2.3`, `7/merge`. */
  readonly name: string
}

/** Takes `refs/heads/main`, `refs/tags/v1`, `refs/pull/7/merge` apart; anything else is a branch's short name. */
export function refParts(ref: string): RefParts {
  if (ref.startsWith('refs/tags/')) return { type: 'tag', name: ref.slice('refs/tags/'.length) }
  return { type: 'branch', name: ref.replace(/^refs\/(heads|pull)\//, '') }
}
