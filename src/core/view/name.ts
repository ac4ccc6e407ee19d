/** A release id or a commit as people see it: the first 12 of its digits. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12)
}

/** A version as it is; a full digest that stands for one is shortened. */
export function shortVersion(version: string): string {
  return /^[0-9a-f]{40,64}$/.test(version) ? shortDigest(version) : version
}

/** `refs/heads/main` → `main`, `refs/tags/v1` → `v1`, `refs/pull/7/merge` → `pull/7`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(?:heads|tags)\//, '').replace(/^refs\/(pull\/\d+)\/\w+$/, '$1')
}
