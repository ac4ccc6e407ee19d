import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'

/**
 * Whether a run was asked for by a pull request of another repository: anybody can open one, and its workflow file is that of a stranger.
 * A fork that was deleted (`head.repo` is null) still is one. `github` is the context of the run. With `pull_request_target`, and with a
 * `workflow_run` that follows a pull request, the workflow file is that of the base, but the stranger says when it runs, and a step that checks the
 * pull request out runs the stranger's code: these are of a fork, too.
 */
export function isFromFork(github: { readonly [name: string]: Json | undefined }): boolean {
  const event = github['event']
  if (!isJsonObject(event)) return false
  const followed = event['workflow_run']
  if (isJsonObject(followed)) return isForeignHead(followed['head_repository'], event['repository'])
  const pull = event['pull_request']
  if (!isJsonObject(pull)) return false
  const head = isJsonObject(pull['head']) ? pull['head']['repo'] : undefined
  return isForeignHead(head, isJsonObject(pull['base']) ? pull['base']['repo'] : undefined)
}

function isForeignHead(head: Json | undefined, base: Json | undefined): boolean {
  if (head === null) return true
  if (!isJsonObject(head)) return false
  const { full_name: home } = isJsonObject(base) ? base : {}
  return head['fork'] === true ? head['full_name'] !== home : isOther(head['full_name'], home)
}

function isOther(head: Json | undefined, base: Json | undefined): boolean {
  return typeof head === 'string' && typeof base === 'string' && head.toLowerCase() !== base.toLowerCase()
}
