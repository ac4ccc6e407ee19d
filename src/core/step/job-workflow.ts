import { isCommitId } from '#core/action/remote-name.ts'
import type { JsonObject } from '#core/json.ts'
import { remoteFile } from '#core/workflow/called-file.ts'

/**
 * `job.workflow_*`: the file in which the job stands. In a called workflow that is not the one that `github.workflow_ref` names (actions-semantics 33).
 * Of a file of another repository the commit is told where its ref is one.
 */
export function jobWorkflow(
  file: string,
  own: { readonly repository: string; readonly sha: string; readonly ref: string },
): JsonObject {
  const remote = remoteFile(file)
  if (remote !== undefined) {
    const { repository, path, ref } = remote
    const sha = isCommitId(ref) ? { workflow_sha: ref } : {}
    return { workflow_ref: file, workflow_repository: repository, workflow_file_path: path, ...sha }
  }
  return {
    workflow_ref: `${own.repository}/${file}@${own.ref}`,
    workflow_repository: own.repository,
    workflow_file_path: file,
    workflow_sha: own.sha,
  }
}
