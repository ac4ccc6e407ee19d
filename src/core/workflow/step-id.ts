/** Length of an id. `actions/runner IdBuilder`. */
export const idLengthMax = 100

/** Why a text cannot be the id of a job or step; undefined when it can (actions-semantics 4). */
export function idProblem(id: string): string | undefined {
  if (!/^[A-Za-z_][A-Za-z0-9_-]*$/.test(id)) {
    return `The id "${id}" is not valid: it starts with a letter or _ and goes on with letters, digits, - and _.`
  }
  if (id.startsWith('__')) return `The id "${id}" is not valid: ids that start with __ are reserved.`
  return id.length < idLengthMax
    ? undefined
    : `The id "${id.slice(0, 40)}…" is longer than ${idLengthMax - 1} characters.`
}

/**
 * Ids for steps that have none: `__run`, `__run_2`, `__actions_checkout`, `__self`, `__wait` (actions-semantics 5).
 * `taken` holds the ids that the file gives.
 */
export function stepIdGiver(
  taken: Iterable<string>,
): (of: { readonly uses?: string | undefined; readonly word?: string }) => string {
  const known = new Set(taken)
  return ({ uses, word = 'run' }) => {
    const base = `__${uses === undefined ? word : nameOfAction(uses)}`.replaceAll(/[^A-Za-z0-9_-]/g, '_')
    for (let attempt = 1; ; attempt++) {
      const suffix = attempt === 1 ? '' : `_${attempt}`
      const id = base.slice(0, idLengthMax - suffix.length) + suffix
      if (!known.has(id)) {
        known.add(id)
        return id
      }
    }
  }
}

function nameOfAction(uses: string): string {
  if (uses.startsWith('docker://')) return uses.slice('docker://'.length)
  if (/^[.$][\\/]/.test(uses)) return 'self'
  const [path, ref, ...more] = uses.split('@')
  const [owner, repository] = (path ?? '').split(/[\\/]/).filter((segment) => segment !== '')
  const isRemote =
    ref !== undefined && ref !== '' && more.length === 0 && owner !== undefined && repository !== undefined
  return isRemote ? `${owner}/${repository}` : 'run'
}
