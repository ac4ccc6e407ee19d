import type { PullRequest, Review } from '#core/gate/review.ts'
import { listOf, callForge, listPages, objectOf, textOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'
import { contributorsOf, loginOf } from './review-forge.ts'
import type { Item, ReviewForge } from './review-forge.ts'

const states: Readonly<Record<string, Review['state']>> = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes-requested',
  DISMISSED: 'dismissed',
}
/** Who may write, as GitHub tells with each review. Anybody can approve in a public repository. */
const insiders: ReadonlySet<string> = new Set(['OWNER', 'MEMBER', 'COLLABORATOR'])

/** Pull requests of GitHub. */
export function gitHubRequests(root: string): ReviewForge {
  return {
    root,
    one: (number) => `${root}/pulls/${number}`,
    find: async (forge, sha) => {
      const found = listOf(await callForge(forge, 'GET', `${root}/commits/${sha}/pulls?per_page=100`))
      // Requests from forks into other repositories stand in this list too.
      return found.filter((item) => isOurs(item, root))
    },
    read: (forge, item) => readPull(forge, root, item),
  }
}

function isOurs(item: Item, root: string): boolean {
  const name = textOf(objectOf(objectOf(item['base'])['repo'])['full_name'])
  return name === '' || `repos/${name}`.toLowerCase() === root.toLowerCase()
}

async function readPull(forge: ForgeAddress, root: string, item: Item): Promise<PullRequest> {
  const number = Number(item['number'])
  const head = textOf(objectOf(item['head'])['sha'])
  const pull = `${root}/pulls/${number}`
  const reviews = (await listPages(forge, (page) => `${pull}/reviews?per_page=100&page=${page}`, 100)) ?? []
  const commits = (await listPages(forge, (page) => `${pull}/commits?per_page=100&page=${page}`, 100)) ?? []
  const merge = textOf(item['merge_commit_sha'])
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

function readReview(item: Item, head: string): Review {
  const association = textOf(item['author_association'])
  const isMachine = textOf(objectOf(item['user'])['type']) === 'Bot'
  const flaw = isMachine ? 'is a machine' : insiders.has(association) ? undefined : 'may not write to the repository'
  return {
    by: loginOf(item['user']),
    state: states[textOf(item['state'])] ?? 'commented',
    isOfHead: textOf(item['commit_id']) === head,
    ...(flaw === undefined ? {} : { flaw }),
  }
}
