import type { PullRequest, Review } from '#core/gate/review.ts'
import { callForge, listOf, listPages, objectOf, textOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'
import { itemsAt } from './review-forge.ts'
import type { Item, ReviewForge } from './review-forge.ts'

/** Merge requests of GitLab. */
export function gitLabRequests(root: string): ReviewForge {
  return {
    root,
    one: (number) => `${root}/merge_requests/${number}`,
    find: (forge, sha) => itemsAt(forge, `${root}/repository/commits/${sha}/merge_requests?per_page=100`),
    read: (forge, item) => readRequest(forge, root, item),
  }
}

async function readRequest(forge: ForgeAddress, root: string, item: Item): Promise<PullRequest> {
  const number = Number(item['iid'])
  const request = `${root}/merge_requests/${number}`
  const head = textOf(item['sha'])
  const url = textOf(item['web_url'])
  const merges = [item['merge_commit_sha'], item['squash_commit_sha']].map(textOf).filter((sha) => sha !== '')
  return {
    number,
    ...(url === '' ? {} : { url }),
    author: userOf(item['author']),
    // Commits of GitLab name their authors by mail only.
    contributors: [],
    base: textOf(item['target_branch']),
    branch: textOf(item['source_branch']),
    head,
    merges,
    reviews: [...(await approvals(forge, request, head)), ...(await objections(forge, request))],
  }
}

/**
 * Approvals that stand now: GitLab takes those back that were withdrawn. It tells when they were given and not for which commit, so the time at
 * which the head was pushed decides. Older versions tell the time in a note only.
 */
async function approvals(forge: ForgeAddress, request: string, head: string): Promise<readonly Review[]> {
  const { approved_by: given } = objectOf(await callForge(forge, 'GET', `${request}/approvals`))
  const standing = listOf(given)
  if (standing.length === 0) return []
  const pushedAt = await headPushedAt(forge, request, head)
  const noted = standing.every((one) => timeOf(one['approved_at']) !== undefined)
    ? undefined
    : await approvalNotes(forge, request)
  return standing.map((one) => {
    const by = userOf(one['user'])
    const at = timeOf(one['approved_at']) ?? noted?.get(by)
    return {
      by,
      state: 'approved',
      ...(at === undefined || pushedAt === undefined ? {} : { isOfHead: at >= pushedAt }),
    }
  })
}

/** When the head became the head: a push makes a version. */
async function headPushedAt(forge: ForgeAddress, request: string, head: string): Promise<number | undefined> {
  const versions = (await listPages(forge, (page) => `${request}/versions?per_page=100&page=${page}`, 100)) ?? []
  const times = versions
    .filter((version) => textOf(version['head_commit_sha']) === head)
    .flatMap((version) => timeOf(version['created_at']) ?? [])
  // A head that came back was pushed again: the last time counts.
  return times.length === 0 ? undefined : Math.max(...times)
}

async function approvalNotes(forge: ForgeAddress, request: string): Promise<ReadonlyMap<string, number>> {
  const page = (number: number): string => `${request}/notes?sort=asc&order_by=created_at&per_page=100&page=${number}`
  const notes = (await listPages(forge, page, 100)) ?? []
  const times = new Map<string, number>()
  for (const note of notes) {
    const at = timeOf(note['created_at'])
    if (note['system'] === true && textOf(note['body']).startsWith('approved this merge request') && at !== undefined)
      times.set(userOf(note['author']), at)
  }
  return times
}

/** Reviewers that ask for changes; whoever approves afterwards is in another state. */
async function objections(forge: ForgeAddress, request: string): Promise<readonly Review[]> {
  const reviewers = await itemsAt(forge, `${request}/reviewers`)
  return reviewers
    .filter(({ state }) => state === 'requested_changes')
    .map(({ user }) => ({ by: userOf(user), state: 'changes-requested' }))
}

function userOf(user: unknown): string {
  return textOf(objectOf(user)['username'])
}

function timeOf(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
