/**
 * The workflow file that a job's `uses` names, as everything that is stored of a call names it: a path below the root of
 * the run's own repository, or `owner/repo/path@ref`. `from` is the file that calls: `./` and `$/` in a file of another
 * repository mean that repository at the same ref: of workflow files both are the commit that runs.
 */
export function calledFile(uses: string, from: string): string {
  if (!/^[.$]\//.test(uses)) return uses
  const path = uses.slice(2)
  const remote = remoteFile(from)
  return remote === undefined ? path : `${remote.repository}/${path}@${remote.ref}`
}

/** The parts of a file of another repository; undefined for a file of the run's own. */
export function remoteFile(
  file: string,
): { readonly repository: string; readonly path: string; readonly ref: string } | undefined {
  const match = /^([^/@]+\/[^/@]+)\/([^@]+)@(.+)$/.exec(file)
  if (match === null) return undefined
  const [, repository = '', path = '', ref = ''] = match
  return { repository, path, ref }
}
