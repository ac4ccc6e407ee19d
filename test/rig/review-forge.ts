import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ForgeKind } from './forge.ts'

export interface StockReview {
  readonly by: string
  readonly says: 'approved' | 'changes' | 'comment'
  /** Commit that it was given to. */
  readonly commit: string
  isDismissed?: boolean
  /** Somebody from outside, who may not write. */
  readonly isStranger?: boolean
  readonly isBot?: boolean
}

export interface StockPull {
  readonly number: number
  readonly author: string
  readonly base: string
  readonly branch: string
  head: string
  /** Commit of its merge; absent while it is open. */
  merge?: string
  readonly commitAuthors?: readonly string[]
  readonly reviews: StockReview[]
}

/** A forge on loopback that knows the pull requests of `acme/shop`: the calls that reviews need, as its reference tells them. */
export interface ReviewForge extends AsyncDisposable {
  readonly url: string
  readonly token: string
  readonly pulls: StockPull[]
  readonly calls: string[]
  failing: number | undefined
  /** GitLab before it told when an approval was given. */
  hasNotesOnly: boolean
}

const bases: Readonly<Record<ForgeKind, string>> = { github: '', gitlab: '/api/v4', gitea: '/api/v1' }

export async function startReviewForge(kind: ForgeKind): Promise<ReviewForge> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://forge')
    forge.calls.push(`${request.method} ${url.pathname}`)
    const path = url.pathname.slice(bases[kind].length)
    const found = forge.failing === undefined && isAllowed(kind, request) ? answers[kind](forge, path, url) : undefined
    const status = forge.failing ?? (isAllowed(kind, request) ? (found === undefined ? 404 : 200) : 401)
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? { message: status === 404 ? 'Not Found' : 'no' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const forge: ReviewForge = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${bases[kind]}`,
    token,
    pulls: [],
    calls: [],
    failing: undefined,
    hasNotesOnly: false,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return forge
}

const token = 'forge-token-0123456789'

function isAllowed(kind: ForgeKind, { headers }: IncomingMessage): boolean {
  if (kind === 'gitlab') return headers['private-token'] === token
  return headers.authorization === `${kind === 'github' ? 'Bearer' : 'token'} ${token}`
}

const answers: Readonly<Record<ForgeKind, (forge: ReviewForge, path: string, url: URL) => unknown>> = {
  github: ({ pulls }, path, url) => {
    const [, sha] = /^\/repos\/acme\/shop\/commits\/(\w+)\/pulls$/.exec(path) ?? []
    if (sha !== undefined) return bringing(pulls, sha).map((pull) => gitHubPull(pull))
    return ofOnePull(pulls, path, url, { shown: gitHubPull, review: gitHubReview })
  },
  gitea: ({ pulls }, path, url) => {
    const [, sha] = /^\/repos\/acme\/shop\/commits\/(\w+)\/pull$/.exec(path) ?? []
    if (sha !== undefined) {
      const merged = pulls.find((pull) => pull.merge === sha)
      return merged === undefined ? undefined : giteaPull(merged)
    }
    if (path === '/repos/acme/shop/pulls') {
      const isOpen = url.searchParams.get('state') === 'open'
      return pageOf(
        pulls.filter(({ merge }) => (merge === undefined) === isOpen),
        url,
      ).map(giteaPull)
    }
    return ofOnePull(pulls, path, url, { shown: giteaPull, review: giteaReview })
  },
  gitlab: ({ pulls, hasNotesOnly }, path, url) => {
    const [, sha] = /^\/projects\/acme%2Fshop\/repository\/commits\/(\w+)\/merge_requests$/.exec(path) ?? []
    if (sha !== undefined) return bringing(pulls, sha).map(gitLabRequest)
    const [, number, what] = /^\/projects\/acme%2Fshop\/merge_requests\/(\d+)(?:\/(\w+))?$/.exec(path) ?? []
    const pull = pulls.find((one) => one.number === Number(number))
    if (pull === undefined) return undefined
    if (what === undefined) return gitLabRequest(pull)
    return gitLabPart(pull, what, url, hasNotesOnly)
  },
}

function bringing(pulls: readonly StockPull[], sha: string): readonly StockPull[] {
  return pulls.filter(
    ({ head, merge, reviews }) => head === sha || merge === sha || reviews.some(({ commit }) => commit === sha),
  )
}

function ofOnePull(
  pulls: readonly StockPull[],
  path: string,
  url: URL,
  as: { readonly shown: (pull: StockPull) => object; readonly review: (pull: StockPull, one: StockReview) => object },
): unknown {
  const [, number, what] = /^\/repos\/acme\/shop\/pulls\/(\d+)(?:\/(\w+))?$/.exec(path) ?? []
  const pull = pulls.find((one) => one.number === Number(number))
  if (pull === undefined) return undefined
  if (what === undefined) return as.shown(pull)
  if (what === 'commits')
    return pageOf(pull.commitAuthors ?? [pull.author], url).map((login) => ({ sha: 'c', author: { login } }))
  return what === 'reviews'
    ? pageOf(
        pull.reviews.map((one) => as.review(pull, one)),
        url,
      )
    : undefined
}

function gitHubPull({ number, author, base, branch, head, merge }: StockPull): object {
  return {
    number,
    state: merge === undefined ? 'open' : 'closed',
    html_url: `https://forge/acme/shop/pull/${number}`,
    user: { login: author, type: 'User' },
    base: { ref: base, repo: { full_name: 'acme/shop' } },
    head: { ref: branch, sha: head },
    merged_at: merge === undefined ? null : '2026-11-21T09:00:00Z',
    merge_commit_sha: merge ?? null,
  }
}

function gitHubReview(_: StockPull, { by, says, commit, isDismissed, isStranger, isBot }: StockReview): object {
  const states = { approved: 'APPROVED', changes: 'CHANGES_REQUESTED', comment: 'COMMENTED' }
  return {
    user: { login: by, type: isBot === true ? 'Bot' : 'User' },
    state: isDismissed === true ? 'DISMISSED' : states[says],
    commit_id: commit,
    author_association: isStranger === true ? 'NONE' : 'MEMBER',
    submitted_at: '2026-11-21T09:00:00Z',
  }
}

function giteaPull(pull: StockPull): object {
  return { ...gitHubPull(pull), merged: pull.merge !== undefined, merge_commit_sha: pull.merge ?? '' }
}

function giteaReview(pull: StockPull, { by, says, commit, isDismissed, isStranger, isBot }: StockReview): object {
  const states = { approved: 'APPROVED', changes: 'REQUEST_CHANGES', comment: 'COMMENT' }
  return {
    user: { login: by },
    state: states[says],
    commit_id: commit,
    dismissed: isDismissed === true,
    stale: commit !== pull.head,
    official: isStranger !== true && isBot !== true,
  }
}

function gitLabRequest({ number, author, base, branch, head, merge }: StockPull): object {
  return {
    id: number + 1000,
    iid: number,
    state: merge === undefined ? 'opened' : 'merged',
    web_url: `https://forge/acme/shop/-/merge_requests/${number}`,
    author: { username: author },
    target_branch: base,
    source_branch: branch,
    sha: head,
    merge_commit_sha: merge ?? null,
    squash_commit_sha: null,
  }
}

/** The head was pushed at 10 o'clock; what was said about it came at 11, and about another commit at 9. */
function gitLabPart({ head, reviews }: StockPull, what: string, url: URL, hasNotesOnly: boolean): unknown {
  const timeOf = ({ commit }: StockReview): string => `2026-11-21T${commit === head ? '11' : '09'}:00:00.000Z`
  const standing = reviews.filter(
    (one) => one.says === 'approved' && one.isDismissed !== true && one.isStranger !== true,
  )
  switch (what) {
    case 'approvals':
      return {
        approved: standing.length > 0,
        approved_by: standing.map((one) => ({
          user: { username: one.by },
          ...(hasNotesOnly ? {} : { approved_at: timeOf(one) }),
        })),
      }
    case 'versions':
      return pageOf([{ id: 2, head_commit_sha: head, created_at: '2026-11-21T10:00:00.000Z' }], url)
    case 'notes':
      return pageOf(
        standing.map((one) => ({
          system: true,
          body: 'approved this merge request',
          author: { username: one.by },
          created_at: timeOf(one),
        })),
        url,
      )
    case 'reviewers':
      return reviews
        .filter(({ says, isDismissed }) => says === 'changes' && isDismissed !== true)
        .map(({ by }) => ({ user: { username: by }, state: 'requested_changes' }))
    default:
      return undefined
  }
}

function pageOf<T>(all: readonly T[], { searchParams }: URL): readonly T[] {
  const size = Number(searchParams.get('per_page') ?? searchParams.get('limit'))
  const page = Number(searchParams.get('page') ?? 1)
  return all.slice((page - 1) * size, page * size)
}
