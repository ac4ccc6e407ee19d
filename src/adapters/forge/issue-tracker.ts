import type { IssuesConfig } from '#core/issue/model.ts'
import type { IssueTracker, OpenTracker, TrackedIssue } from '#ports/issue-tracker.ts'
import { callForge, forgeAddress, listOf, objectOf, pagesMax, pathOf, textOf } from './forge-call.ts'
import type { ForgeAddress } from './forge-call.ts'

/** The tracker of each forge. Lists are read and not searched: an index lags behind, and an issue that was just opened must be found. */
export const openTracker: OpenTracker = async (config, token, signal) => {
  const forge = forgeAddress(config, token, signal)
  switch (config.forge) {
    case 'github':
      return gitHubTracker(config, forge)
    case 'gitea':
      return giteaTracker(config, forge)
    case 'gitlab':
      return gitLabTracker(config, forge)
  }
}

type Page = (page: number) => string

async function findIn(
  forge: ForgeAddress,
  { page, size, read }: { readonly page: Page; readonly size: number; readonly read: Reader },
  text: string,
): Promise<TrackedIssue | undefined> {
  for (let number = 1; number <= pagesMax; number += 1) {
    const items = listOf(await callForge(forge, 'GET', page(number)))
    for (const item of items) {
      const issue = read(item)
      if (issue?.isOpen === true && issue.body.includes(text)) return issue
    }
    if (items.length < size) return undefined
  }
  return undefined
}

type Reader = (item: Readonly<Record<string, unknown>>) => TrackedIssue | undefined

/** GitHub and Gitea list pull requests among issues. */
const readIssue: Reader = (item) =>
  item['pull_request'] === undefined || item['pull_request'] === null
    ? { number: Number(item['number']), body: textOf(item['body']), isOpen: item['state'] === 'open' }
    : undefined

const readGitLabIssue: Reader = (item) => ({
  number: Number(item['iid']),
  body: textOf(item['description']),
  isOpen: item['state'] === 'opened',
})

/** What GitHub and Gitea have in common: Gitea has taken over GitHub's paths. */
function commonTracker(forge: ForgeAddress, repository: string): Omit<IssueTracker, 'find' | 'open'> {
  return {
    load: async (number) => {
      const item = await callForge(forge, 'GET', `${repository}/issues/${number}`)
      return item === undefined ? undefined : readIssue(objectOf(item))
    },
    comment: async (number, body) => {
      await callForge(forge, 'POST', `${repository}/issues/${number}/comments`, { body })
    },
    close: async (number) => {
      await callForge(forge, 'PATCH', `${repository}/issues/${number}`, { state: 'closed' })
    },
  }
}

function gitHubTracker({ repository: name }: IssuesConfig, forge: ForgeAddress): IssueTracker {
  const repository = `repos/${pathOf(name)}`
  const page: Page = (number) =>
    `${repository}/issues?state=open&sort=created&direction=asc&per_page=100&page=${number}`
  return {
    ...commonTracker(forge, repository),
    find: (text) => findIn(forge, { page, size: 100, read: readIssue }, text),
    open: async ({ title, body, labels }) =>
      numberIn(await callForge(forge, 'POST', `${repository}/issues`, { title, body, labels }), 'number'),
  }
}

function giteaTracker({ repository: name }: IssuesConfig, forge: ForgeAddress): IssueTracker {
  const repository = `repos/${pathOf(name)}`
  const page: Page = (number) => `${repository}/issues?state=open&type=issues&sort=oldest&limit=50&page=${number}`
  return {
    ...commonTracker(forge, repository),
    find: (text) => findIn(forge, { page, size: 50, read: readIssue }, text),
    open: async ({ title, body, labels }) => {
      const ids = await giteaLabels(forge, repository, labels)
      return numberIn(await callForge(forge, 'POST', `${repository}/issues`, { title, body, labels: ids }), 'number')
    },
  }
}

/** Gitea takes numbers of labels, not names, and makes none by itself. */
async function giteaLabels(
  forge: ForgeAddress,
  repository: string,
  names: readonly string[],
): Promise<readonly number[]> {
  const known = listOf(await callForge(forge, 'GET', `${repository}/labels?limit=50`))
  const ids: number[] = []
  for (const name of names) {
    const found =
      known.find((label) => label['name'] === name) ??
      objectOf(await callForge(forge, 'POST', `${repository}/labels`, { name, color: '#d73a4a' }))
    ids.push(numberIn(found, 'id'))
  }
  return ids
}

function gitLabTracker({ repository }: IssuesConfig, forge: ForgeAddress): IssueTracker {
  const issues = `projects/${encodeURIComponent(repository)}/issues`
  const page: Page = (number) => `${issues}?state=opened&order_by=created_at&sort=asc&per_page=100&page=${number}`
  return {
    find: (text) => findIn(forge, { page, size: 100, read: readGitLabIssue }, text),
    load: async (number) => {
      const item = await callForge(forge, 'GET', `${issues}/${number}`)
      return item === undefined ? undefined : readGitLabIssue(objectOf(item))
    },
    open: async ({ title, body, labels }) => {
      const asked = { title, description: body, labels: labels.join(',') }
      return numberIn(await callForge(forge, 'POST', issues, asked), 'iid')
    },
    comment: async (number, body) => {
      await callForge(forge, 'POST', `${issues}/${number}/notes`, { body })
    },
    close: async (number) => {
      await callForge(forge, 'PUT', `${issues}/${number}`, { state_event: 'close' })
    },
  }
}

function numberIn(value: unknown, name: string): number {
  return Number(objectOf(value)[name])
}
