import type { PullRequest } from '#core/gate/review.ts'
import { callForge, listOf, objectOf, textOf } from './forge-call.ts'
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

/** Logins of those whose commits are in a request: GitHub and Gitea tell them alike. */
export function contributorsOf(commits: readonly Item[]): readonly string[] {
  const names = commits.map(({ author }) => loginOf(author)).filter((name) => name !== '')
  return [...new Set(names)]
}

export function loginOf(user: unknown): string {
  return textOf(objectOf(user)['login'])
}
