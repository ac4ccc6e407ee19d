import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'

/**
 * Whether a run was asked for by a pull request of another repository: anybody can open one, and its workflow file is that of a stranger.
 * A fork that was deleted (`head.repo` is null) still is one. `github` is the context of the run.
 */
export function isFromFork(github: { readonly [name: string]: Json | undefined }): boolean {
  const event = github['event']
  // With pull_request_target the workflow and the code are those of the base.
  if (!isJsonObject(event) || github['event_name'] === 'pull_request_target') return false
  const pull = event['pull_request']
  if (!isJsonObject(pull)) return false
  const head = isJsonObject(pull['head']) ? pull['head']['repo'] : undefined
  if (head === null) return true
  if (!isJsonObject(head)) return false
  const base = isJsonObject(pull['base']) && isJsonObject(pull['base']['repo']) ? pull['base']['repo'] : {}
  return head['fork'] === true ? head['full_name'] !== base['full_name'] : isOther(head['full_name'], base['full_name'])
}

function isOther(head: Json | undefined, base: Json | undefined): boolean {
  return typeof head === 'string' && typeof base === 'string' && head.toLowerCase() !== base.toLowerCase()
}
