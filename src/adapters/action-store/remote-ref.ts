import { isCommitId } from '#core/action/remote-name.ts'
import { callGit } from './git-call.ts'
import { problemOf } from './repository.ts'
import type { StoredRepository } from './repository.ts'

/** What a remote repository says a ref is. A name may be a tag or a branch; a tag wins, as in git itself. */
export type RemoteRef =
  | { readonly kind: 'found'; readonly source: string; readonly commit: string }
  | { readonly kind: 'unknown'; readonly known: readonly string[] }
  | { readonly kind: 'unreachable'; readonly problem: string }

export async function askRemote(
  { gitDir }: StoredRepository,
  url: string,
  ref: string,
  signal: AbortSignal | undefined,
): Promise<RemoteRef> {
  const options = signal === undefined ? {} : { signal }
  const answer = await callGit({ gitDir, args: ['ls-remote', '--quiet', '--end-of-options', url], ...options })
  if (answer.kind !== 'done') return { kind: 'unreachable', problem: problemOf(answer) }
  const refs = new Map(
    answer.output
      .toString('utf8')
      .split('\n')
      .flatMap((line) => {
        const [oid = '', name = ''] = line.split('\t')
        return isCommitId(oid) && name !== '' ? [[name, oid] as const] : []
      }),
  )
  // The list names the newest commits only: an older one may be had all the same.
  if (isCommitId(ref)) return { kind: 'found', source: ref, commit: ref }
  const candidates = [
    ...(ref.startsWith('refs/') || ref === 'HEAD' ? [ref] : []),
    `refs/tags/${ref}`,
    `refs/heads/${ref}`,
  ]
  for (const source of candidates) {
    const commit = refs.get(`${source}^{}`) ?? refs.get(source)
    if (commit !== undefined) return { kind: 'found', source, commit }
  }
  const known = [...refs.keys()].flatMap((name) => /^refs\/(?:heads|tags)\/(.+?)(?:\^\{\})?$/.exec(name)?.[1] ?? [])
  return { kind: 'unknown', known: [...new Set(known)] }
}

/** The branch that HEAD of a remote repository is on; undefined when it does not say. */
export async function remoteBranch({ gitDir }: StoredRepository, url: string): Promise<string | undefined> {
  const answer = await callGit({ gitDir, args: ['ls-remote', '--quiet', '--symref', '--end-of-options', url, 'HEAD'] })
  const text = answer.kind === 'done' ? answer.output.toString('utf8') : ''
  return /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(text)?.[1]
}
