import type { Review } from '#core/gate/review.ts'
import { callForge, objectOf, pagesMax, listOf, textOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'
import { loginOf, readPull } from './review-forge.ts'
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
    read: (forge, item) => {
      const merge = item['merged'] === true ? textOf(item['merge_commit_sha']) : ''
      return readPull(forge, item, { root, paging: `limit=${pageSize}`, pageSize, merge, readReview })
    },
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
