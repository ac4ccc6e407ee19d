import type { RemoteVerdict, StoredRef } from '#ports/action-store.ts'
import { listRefs } from './ref-record.ts'
import { askRemote } from './remote-ref.ts'
import type { StoredRepository } from './repository.ts'

/** Asks where each ref came from what it stands for now, one after the other. */
export async function verifyRemote(
  repositories: readonly StoredRepository[],
  signal: AbortSignal | undefined,
): Promise<readonly RemoteVerdict[]> {
  const verdicts: RemoteVerdict[] = []
  for (const repository of repositories)
    for (const stored of await listRefs(repository)) verdicts.push(await verifyRef(repository, stored, signal))
  return verdicts
}

async function verifyRef(
  repository: StoredRepository,
  { ref, commit, url }: StoredRef,
  signal: AbortSignal | undefined,
): Promise<RemoteVerdict> {
  const of = { repository: repository.name, ref, commit }
  if (url === undefined) return { ...of, state: 'local' }
  const remote = await askRemote(repository, url, ref, signal)
  if (remote.kind === 'unreachable') return { ...of, state: 'unreachable', problem: remote.problem }
  if (remote.kind === 'unknown') return { ...of, state: 'gone', problem: `${url} has no such branch or tag any more` }
  return remote.commit === commit ? { ...of, state: 'same' } : { ...of, state: 'moved', now: remote.commit }
}
