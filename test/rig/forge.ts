import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export type ForgeKind = 'github' | 'gitlab' | 'gitea'

export interface ForgeIssue {
  readonly number: number
  readonly title: string
  readonly body: string
  readonly labels: readonly string[]
  isOpen: boolean
  readonly comments: string[]
  /** Pull requests stand among the issues of GitHub. */
  readonly isPullRequest?: boolean
}

/** A release as the forge keeps it. */
export interface ForgeReleasePage {
  readonly id: number
  readonly tag: string
  readonly sha: string
  title: string
  body: string
  isPrerelease: boolean
}

/** A forge on loopback: the few calls of its API that issues and releases need, as its reference tells them, refusals included. */
export interface Forge extends AsyncDisposable {
  readonly url: string
  readonly issues: ForgeIssue[]
  readonly releases: ForgeReleasePage[]
  /** Calls that were made, `POST /repos/…`. */
  readonly calls: string[]
  /** Every call is answered with this status. */
  failing: number | undefined
  readonly token: string
}

type Answer = readonly [status: number, body: unknown]

/** Starts a forge of a kind with the repository `acme/shop`. */
export async function startForge(kind: ForgeKind): Promise<Forge> {
  const issues: ForgeIssue[] = []
  const releases: ForgeReleasePage[] = []
  const labels: { readonly id: number; readonly name: string }[] = [{ id: 7, name: 'feature' }]
  const token = 'forge-token-0123456789'
  const calls: string[] = []
  const server = createServer((request, response) => {
    void readJson(request).then((body) => {
      const url = new URL(request.url ?? '/', 'http://forge')
      calls.push(`${request.method} ${url.pathname}`)
      const [status, answer] =
        forge.failing === undefined
          ? isAllowed(kind, request, token)
            ? (api[kind]({ method: request.method ?? '', url, body }, { issues, labels, releases }) ?? [
                404,
                { message: 'Not Found' },
              ])
            : [401, { message: 'Bad credentials' }]
          : [forge.failing, { message: 'down' }]
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const forge: Forge = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${bases[kind]}`,
    issues,
    releases,
    calls,
    failing: undefined,
    token,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return forge
}

const bases: Readonly<Record<ForgeKind, string>> = { github: '', gitlab: '/api/v4', gitea: '/api/v1' }

function isAllowed(kind: ForgeKind, { headers }: IncomingMessage, token: string): boolean {
  if (kind === 'gitlab') return headers['private-token'] === token
  return headers.authorization === `${kind === 'github' ? 'Bearer' : 'token'} ${token}`
}

interface Call {
  readonly method: string
  readonly url: URL
  readonly body: Readonly<Record<string, unknown>>
}

interface Stock {
  readonly issues: ForgeIssue[]
  readonly releases: ForgeReleasePage[]
  readonly labels: { readonly id: number; readonly name: string }[]
}

const api: Readonly<Record<ForgeKind, (call: Call, stock: Stock) => Answer | undefined>> = {
  github: (call, stock) => gitHubLike('/repos/acme/shop', call, stock, (given) => given as readonly string[]),
  gitea: (call, stock) => {
    const { labels } = stock
    if (call.url.pathname === '/api/v1/repos/acme/shop/labels') {
      if (call.method === 'GET') return [200, labels]
      const label = { id: labels.length + 20, name: String(call.body['name']) }
      labels.push(label)
      return [201, label]
    }
    return gitHubLike('/api/v1/repos/acme/shop', call, stock, (given) =>
      (given as readonly number[]).map((id) => labels.find((label) => label.id === id)?.name ?? 'unknown'),
    )
  },
  gitlab: (call, { issues, releases }) => {
    const { method, url, body } = call
    const release = gitLabRelease(call, releases)
    if (release !== undefined) return release
    const [whole, number, notes] =
      /^\/api\/v4\/projects\/acme%2Fshop\/issues(?:\/(\d+)(\/notes)?)?$/.exec(url.pathname) ?? []
    if (whole === undefined) return undefined
    const shown = (one: ForgeIssue): object => ({
      id: one.number + 1000,
      iid: one.number,
      title: one.title,
      description: one.body,
      state: one.isOpen ? 'opened' : 'closed',
    })
    if (number === undefined) {
      if (method === 'GET')
        return [
          200,
          pageOf(
            issues.filter(({ isOpen }) => isOpen),
            url,
          ).map(shown),
        ]
      const labels = String(body['labels']).split(',')
      return [201, shown(add(issues, String(body['title']), String(body['description']), labels))]
    }
    const issue = issues.find((one) => one.number === Number(number))
    if (issue === undefined) return undefined
    if (notes !== undefined) issue.comments.push(String(body['body']))
    else if (method === 'PUT' && body['state_event'] === 'close') issue.isOpen = false
    return [notes === undefined ? 200 : 201, shown(issue)]
  },
}

function gitHubLike(
  root: string,
  { method, url, body }: Call,
  { issues, releases }: Stock,
  labelsOf: (given: unknown) => readonly string[],
): Answer | undefined {
  if (url.pathname.startsWith(`${root}/releases`))
    return gitHubRelease(url.pathname.slice(`${root}/releases`.length), { method, url, body }, releases)
  if (!url.pathname.startsWith(`${root}/issues`)) return undefined
  const [, number, comments] = /^\/issues(?:\/(\d+)(\/comments)?)?$/.exec(url.pathname.slice(root.length)) ?? []
  const shown = (one: ForgeIssue): object => ({
    number: one.number,
    title: one.title,
    body: one.body,
    state: one.isOpen ? 'open' : 'closed',
    ...(one.isPullRequest === true ? { pull_request: { url: 'there' } } : {}),
  })
  if (number === undefined) {
    if (method === 'GET')
      return [
        200,
        pageOf(
          issues.filter(({ isOpen }) => isOpen),
          url,
        ).map(shown),
      ]
    return [201, shown(add(issues, String(body['title']), String(body['body']), labelsOf(body['labels'])))]
  }
  const issue = issues.find((one) => one.number === Number(number))
  if (issue === undefined) return undefined
  if (comments !== undefined) issue.comments.push(String(body['body']))
  else if (method === 'PATCH' && body['state'] === 'closed') issue.isOpen = false
  return [comments === undefined ? 200 : 201, shown(issue)]
}

/** GitHub finds a release by its tag, and changes it by its number. */
function gitHubRelease(path: string, { method, body }: Call, releases: ForgeReleasePage[]): Answer | undefined {
  const shown = (one: ForgeReleasePage): object => ({
    id: one.id,
    tag_name: one.tag,
    name: one.title,
    body: one.body,
    prerelease: one.isPrerelease,
    html_url: `http://forge/acme/shop/releases/tag/${one.tag}`,
  })
  if (method === 'POST' && path === '') {
    const made = {
      id: releases.length + 400,
      tag: String(body['tag_name']),
      sha: String(body['target_commitish']),
      title: String(body['name']),
      body: String(body['body']),
      isPrerelease: body['prerelease'] === true,
    }
    if (releases.some(({ tag }) => tag === made.tag)) return [422, { message: 'Release already exists' }]
    releases.push(made)
    return [201, shown(made)]
  }
  const [, tag, id] = /^\/(?:tags\/([^/]+)|(\d+))$/.exec(path) ?? []
  const found = releases.find((one) =>
    tag === undefined ? String(one.id) === id : one.tag === decodeURIComponent(tag),
  )
  if (found === undefined) return undefined
  if (method === 'PATCH' && id !== undefined) {
    found.title = String(body['name'])
    found.body = String(body['body'])
    found.isPrerelease = body['prerelease'] === true
  }
  return [200, shown(found)]
}

/** GitLab knows no pre-releases. */
function gitLabRelease({ method, url, body }: Call, releases: ForgeReleasePage[]): Answer | undefined {
  const [whole, tag] = /^\/api\/v4\/projects\/acme%2Fshop\/releases(?:\/([^/]+))?$/.exec(url.pathname) ?? []
  if (whole === undefined) return undefined
  const shown = (one: ForgeReleasePage): object => ({
    tag_name: one.tag,
    name: one.title,
    description: one.body,
    commit: { id: one.sha },
    _links: { self: `http://forge/acme/shop/-/releases/${one.tag}` },
  })
  if (tag === undefined) {
    const made = {
      id: releases.length,
      tag: String(body['tag_name']),
      sha: String(body['ref']),
      title: String(body['name']),
      body: String(body['description']),
      isPrerelease: false,
    }
    releases.push(made)
    return [201, shown(made)]
  }
  const found = releases.find((one) => one.tag === decodeURIComponent(tag))
  if (found === undefined) return undefined
  if (method === 'PUT') {
    found.title = String(body['name'])
    found.body = String(body['description'])
  }
  return [200, shown(found)]
}

function add(issues: ForgeIssue[], title: string, body: string, labels: readonly string[]): ForgeIssue {
  const issue = { number: issues.length + 1, title, body, labels, isOpen: true, comments: [] }
  issues.push(issue)
  return issue
}

function pageOf<T>(all: readonly T[], { searchParams }: URL): readonly T[] {
  const size = Number(searchParams.get('per_page') ?? searchParams.get('limit'))
  const page = Number(searchParams.get('page'))
  return all.slice((page - 1) * size, page * size)
}

async function readJson(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
}
