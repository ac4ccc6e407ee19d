import type { PullRequest } from '#core/gate/review.ts'
import type { AskReviews, ReviewQuestion } from '#ports/review-desk.ts'
import { callForge, forgeAddress, objectOf, pathOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'
import { giteaRequests } from './gitea-review.ts'
import { gitHubRequests } from './github-review.ts'
import { gitLabRequests } from './gitlab-review.ts'
import type { Item, ReviewForge } from './review-forge.ts'

/** Requests of one commit that are looked at; a commit is in one or two. */
export const requestsMax = 10

/** The requests of a commit at each forge. Reviews are read one request after the other: a forge counts its callers. */
export const askReviews: AskReviews = async (question, signal) => {
  const address = forgeAddress(question.forge, question.token, signal)
  const forge = forgeOf(question)
  const items = await requestsOf(forge, address, question)
  const pulls: PullRequest[] = []
  for (const item of items.slice(0, requestsMax)) pulls.push(await forge.read(address, item))
  return pulls
}

function forgeOf({ forge }: ReviewQuestion): ReviewForge {
  switch (forge.forge) {
    case 'github':
      return gitHubRequests(`repos/${pathOf(forge.repository)}`)
    case 'gitea':
      return giteaRequests(`repos/${pathOf(forge.repository)}`)
    case 'gitlab':
      return gitLabRequests(`projects/${encodeURIComponent(forge.repository)}`)
  }
}

/** A run of a pull request tests its merge with the base, which is in no list: its ref names the request. */
async function requestsOf(
  forge: ReviewForge,
  address: ForgeAddress,
  { ref, sha }: ReviewQuestion,
): Promise<readonly Item[]> {
  const [, number] = /^refs\/(?:pull|merge-requests)\/(\d+)\//.exec(ref) ?? []
  if (number === undefined) return forge.find(address, sha)
  const item = await callForge(address, 'GET', forge.one(number))
  return item === undefined ? [] : [objectOf(item)]
}
