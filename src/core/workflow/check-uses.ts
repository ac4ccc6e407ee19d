/**
 * Why a step's `uses` is not one of the forms that GitHub knows; undefined when it is. The forms: `./path`,
 * `docker://image`, `owner/repository[/path]@ref` (actions-semantics 6, 7).
 */
export function usesProblem(uses: string): string | undefined {
  if (/^\.[\\/]/.test(uses) || uses.startsWith('docker://')) return undefined
  const [path = '', ref, ...more] = uses.split('@')
  const [owner, repository] = path.split(/[\\/]/)
  const isRemote = ref !== undefined && ref !== '' && more.length === 0 && isName(owner) && isName(repository)
  if (!isRemote) return `Expected format {org}/{repo}[/path]@ref. Actual '${uses}'`
  if (/^[0-9a-f]{7,39}$/.test(ref))
    return `The version "${ref}" looks like a shortened commit id, which GitHub refuses.`
  return undefined
}

/** Why a job's `uses` is not a reusable workflow; undefined when it is. */
export function jobUsesProblem(uses: string): string | undefined {
  const isFile = /\.ya?ml$/.test(uses.split('@')[0] ?? '')
  if (uses.startsWith('./.github/workflows/') || uses.startsWith('./.shipway/workflows/')) {
    return isFile && !uses.includes('@')
      ? undefined
      : `A workflow file of this repository is named without @ref: "${uses}".`
  }
  const isRemote = /^[^/@]+\/[^/@]+\/\.github\/workflows\/[^@]+@[^@]+$/.test(uses)
  return isRemote && isFile
    ? undefined
    : `Expected ./.github/workflows/file.yml or owner/repo/.github/workflows/file.yml@ref, found "${uses}".`
}

function isName(text: string | undefined): boolean {
  return text !== undefined && text !== '' && !text.startsWith('$') && text !== '.' && text !== '..'
}
