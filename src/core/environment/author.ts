import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'

/**
 * Names by which whoever made the commits of an event, or its pull request, may be known to `approvals`: the login that a forge tells, the name and the mail of the
 * commit, and the mail's part before the "@" (the login in GitHub's noreply addresses). Git believes what it is told, so this keeps
 * honest people from approving their own change; who must be sure has requests signed.
 */
export function commitAuthors(payload: JsonObject): readonly string[] {
  const commits = Array.isArray(payload['commits']) ? payload['commits'] : []
  const request = payload['pull_request']
  const user = isJsonObject(request) ? request['user'] : undefined
  const asked = isJsonObject(user) && typeof user['login'] === 'string' ? [user['login']] : []
  return [...new Set([...asked, ...[payload['head_commit'], ...commits].flatMap(namesIn)])]
}

function namesIn(commit: Json | undefined): readonly string[] {
  const author = isJsonObject(commit) ? commit['author'] : undefined
  if (!isJsonObject(author)) return []
  const { username, name, email } = author
  const [login = ''] = typeof email === 'string' ? email.split('@') : []
  return [username, name, email, login.replace(/^\d+\+/, '')].filter(
    (text): text is string => typeof text === 'string' && text !== '',
  )
}
