import type { PullRequest, Review } from '#core/gate/review.ts'
import { callForge, listOf, listPages, objectOf, textOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'

/** One forge as reviews need it: where its requests are found, and how one is read. */
export interface ReviewForge {
  /** `repos/acme/shop`, `projects/acme%2Fshop`. */
  readonly root: string
  /** The request with a number. */
  readonly one: (number: string) => string
  /** Requests that bring a commit. */
  readonly find: (forge: ForgeAddress, sha: string) => Promise<readonly Item[]>
  readonly read: (forge: ForgeAddress, item: Item) => Promise<PullRequest>
}

export type Item = Readonly<Record<string, unknown>>

/** Items of a list that a forge may not have; nothing then. */
export async function itemsAt(address: ForgeAddress, path: string): Promise<readonly Item[]> {
  return listOf(await callForge(address, 'GET', path))
}

/** A pull request with its reviews and commits, as GitHub and Gitea both tell it. */
export async function readPull(
  forge: ForgeAddress,
  item: Item,
  how: {
    readonly root: string
    /** The query that asks for pages of `pageSize`, without the page's number. */
    readonly paging: string
    readonly pageSize: number
    /** The commit that a merge made; empty when there was none. */
    readonly merge: string
    readonly readReview: (review: Item, head: string) => Review
  },
): Promise<PullRequest> {
  const number = Number(item['number'])
  const head = textOf(objectOf(item['head'])['sha'])
  const all = async (what: string): Promise<readonly Item[]> =>
    (await listPages(
      forge,
      (page) => `${how.root}/pulls/${number}/${what}?${how.paging}&page=${page}`,
      how.pageSize,
    )) ?? []
  const reviews = await all('reviews')
  const commits = await all('commits')
  const url = textOf(item['html_url'])
  return {
    number,
    ...(url === '' ? {} : { url }),
    author: loginOf(item['user']),
    contributors: contributorsOf(commits),
    base: textOf(objectOf(item['base'])['ref']),
    branch: textOf(objectOf(item['head'])['ref']),
    head,
    merges: how.merge === '' ? [] : [how.merge],
    reviews: reviews.map((review) => how.readReview(review, head)),
  }
}

/** Logins of those whose commits are in a request: GitHub and Gitea tell them alike. */
function contributorsOf(commits: readonly Item[]): readonly string[] {
  const names = commits.map(({ author }) => loginOf(author)).filter((name) => name !== '')
  return [...new Set(names)]
}

export function loginOf(user: unknown): string {
  return textOf(objectOf(user)['login'])
}
