import { commitAuthors } from '#core/environment/author.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadRun } from '#store/run.ts'
import type { StoredRun } from '#store/run.ts'
import { loadTicket } from '#store/ticket.ts'

/** Whom `notAuthor` excludes from approving what a run asks for: its actor, and whoever made its commits. */
export async function authorsOfRun(query: Query, run: Pick<StoredRun, 'actor' | 'ticket'>): Promise<readonly string[]> {
  const request = (await loadTicket(query, run.ticket))?.ticket.request
  const made = request?.kind === 'run' ? commitAuthors(request.event.payload) : []
  return [...new Set([run.actor, ...made])]
}

/** The same for a deployment of a release: whoever sealed it or made what it holds, and whoever asks; nobody has asked for a plan yet. */
export async function authorsOfRelease(
  query: Query,
  { sealedBy, run: id }: Pick<Release, 'sealedBy' | 'run'>,
  requestedBy?: string,
): Promise<readonly string[]> {
  const run = id === undefined ? undefined : await loadRun(query, id)
  const asking = requestedBy === undefined ? [] : [requestedBy]
  return [...new Set([sealedBy, ...asking, ...(run === undefined ? [] : await authorsOfRun(query, run))])]
}
