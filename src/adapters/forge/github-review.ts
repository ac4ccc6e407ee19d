import type { Review } from '#core/gate/review.ts'
import { listOf, callForge, objectOf, textOf } from './forge-call.ts'
import { loginOf, readPull } from './review-forge.ts'
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
    read: (forge, item) => {
      const merge = textOf(item['merge_commit_sha'])
      return readPull(forge, item, { root, paging: 'per_page=100', pageSize: 100, merge, readReview })
    },
  }
}

function isOurs(item: Item, root: string): boolean {
  const name = textOf(objectOf(objectOf(item['base'])['repo'])['full_name'])
  return name === '' || `repos/${name}`.toLowerCase() === root.toLowerCase()
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
