import type { PullRequest, Review } from '#core/gate/review.ts'
import { callForge, listPages, objectOf, pagesMax, listOf, textOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'
import { contributorsOf, loginOf } from './review-forge.ts'
import type { Item, ReviewForge } from './review-forge.ts'

const states: Readonly<Record<string, Review['state']>> = {
  APPROVED: 'approved',
  REQUEST_CHANGES: 'changes-requested',
}
const pageSize = 50

/** Pull requests of Gitea and Forgejo. */
export function giteaRequests(root: string): ReviewForge {
  return {
    root,
    one: (number) => `${root}/pulls/${number}`,
    find: (forge, sha) => findPulls(forge, root, sha),
    read: (forge, item) => readPull(forge, root, item),
  }
}

/** A commit that a merge has made is asked for by name; the last commit of an open request is not, and the open ones are few. */
async function findPulls(forge: ForgeAddress, root: string, sha: string): Promise<readonly Item[]> {
  const merged = objectOf(await callForge(forge, 'GET', `${root}/commits/${sha}/pull`))
  if (merged['number'] !== undefined) return [merged]
  for (const state of ['open', 'closed']) {
    for (let page = 1; page <= pagesMax; page += 1) {
      const path = `${root}/pulls?state=${state}&sort=recentupdate&limit=${pageSize}&page=${page}`
      const items = listOf(await callForge(forge, 'GET', path))
      const found = items.filter(
        (item) =>
          textOf(objectOf(item['head'])['sha']) === sha ||
          (item['merged'] === true && textOf(item['merge_commit_sha']) === sha),
      )
      if (found.length > 0) return found
      if (items.length < pageSize) break
    }
  }
  return []
}

async function readPull(forge: ForgeAddress, root: string, item: Item): Promise<PullRequest> {
  const number = Number(item['number'])
  const head = textOf(objectOf(item['head'])['sha'])
  const pull = `${root}/pulls/${number}`
  const reviews = (await listPages(forge, (page) => `${pull}/reviews?limit=${pageSize}&page=${page}`, pageSize)) ?? []
  const commits = (await listPages(forge, (page) => `${pull}/commits?limit=${pageSize}&page=${page}`, pageSize)) ?? []
  const merge = item['merged'] === true ? textOf(item['merge_commit_sha']) : ''
  const url = textOf(item['html_url'])
  return {
    number,
    ...(url === '' ? {} : { url }),
    author: loginOf(item['user']),
    contributors: contributorsOf(commits),
    base: textOf(objectOf(item['base'])['ref']),
    branch: textOf(objectOf(item['head'])['ref']),
    head,
    merges: merge === '' ? [] : [merge],
    reviews: reviews.map((review) => readReview(review, head)),
  }
}

/** `official`: by somebody whose approval the branch's rules count. `stale`: of an older commit, whatever its id says. */
function readReview(item: Item, head: string): Review {
  const state = item['dismissed'] === true ? 'dismissed' : (states[textOf(item['state'])] ?? 'commented')
  return {
    by: loginOf(item['user']),
    state,
    isOfHead: item['stale'] !== true && textOf(item['commit_id']) === head,
    ...(item['official'] === true ? {} : { flaw: 'is no official reviewer there' }),
  }
}
