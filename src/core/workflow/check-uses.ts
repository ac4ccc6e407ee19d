/**
 * Why a step's `uses` is not one of the forms that GitHub knows; undefined when it is. The forms: `./path`, `$/path`,
 * `docker://image`, `owner/repository[/path]@ref` (actions-semantics 6, 7).
 */
export function usesProblem(uses: string): string | undefined {
  if (/^\.[\\/]/.test(uses) || uses.startsWith('docker://')) return undefined
  if (uses.startsWith('$/')) return ownProblem(uses)
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
  if (uses.startsWith('$/') && ownProblem(uses) !== undefined) return ownProblem(uses)
  const isFile = /\.ya?ml$/.test(uses.split('@')[0] ?? '')
  if (/^[.$]\/\.(?:github|shipway)\/workflows\//.test(uses)) {
    return isFile && !uses.includes('@')
      ? undefined
      : `A workflow file of this repository is named without @ref: "${uses}".`
  }
  const isRemote = /^[^/@]+\/[^/@]+\/\.github\/workflows\/[^@]+@[^@]+$/.test(uses)
  return isRemote && isFile
    ? undefined
    : `Expected ./.github/workflows/file.yml or owner/repo/.github/workflows/file.yml@ref, found "${uses}".`
}

/** What is wrong with `$/path`: it stays in its repository, at the commit that runs. */
function ownProblem(uses: string): string | undefined {
  if (uses.includes('@')) return `A "$/" reference is the commit that runs, and has no @ref: "${uses}".`
  return uses.split(/[\\/]/).includes('..') ? `A "$/" reference does not leave its repository: "${uses}".` : undefined
}

function isName(text: string | undefined): boolean {
  return text !== undefined && text !== '' && !text.startsWith('$') && text !== '.' && text !== '..'
}
