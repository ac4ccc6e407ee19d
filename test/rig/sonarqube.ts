import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SonarAnalysis {
  readonly key: string
  readonly revision?: string
  readonly branch?: string
  readonly pullRequest?: string
  status: 'OK' | 'WARN' | 'ERROR' | 'NONE'
}

export interface SonarTask {
  readonly id: string
  status: 'PENDING' | 'IN_PROGRESS' | 'SUCCESS' | 'FAILED' | 'CANCELED'
  readonly analysis?: string
  readonly project?: string
  readonly branch?: string
  readonly error?: string
}

/** A SonarQube on loopback with one project `shop`: the calls of its API that a gate needs, in the form in which the server answers. */
export interface SonarServer extends AsyncDisposable {
  readonly url: string
  readonly token: string
  /** The latest first, as the server lists them. */
  readonly analyses: SonarAnalysis[]
  readonly tasks: SonarTask[]
  /** Calls that were made, `GET /api/ce/task?id=…`. */
  readonly calls: string[]
  /** `authorization` of each call. */
  readonly credentials: string[]
  /** Every call is answered with this status; a redirect goes to `elsewhere`. */
  failing: number | undefined
  elsewhere: string
  /** An old server takes a token as a user's name only. */
  hasBasicOnly: boolean
  /** Called before each answer: what happens on the server while it is asked. */
  onCall: ((call: string) => void) | undefined
}

type Answer = readonly [status: number, body: unknown]

const notFound: Answer = [404, { errors: [{ msg: "Component key 'other' not found" }] }]

export async function startSonarQube(): Promise<SonarServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://sonar')
    const call = `${request.method} ${url.pathname}${url.search}`
    sonar.calls.push(call)
    sonar.credentials.push(request.headers.authorization ?? '')
    sonar.onCall?.(call)
    const [status, body] = answer(sonar, request, url)
    const headers = { 'content-type': 'application/json', ...(status === 302 ? { location: sonar.elsewhere } : {}) }
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const sonar: SonarServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'squ_0123456789abcdef0123456789abcdef01234567',
    analyses: [],
    tasks: [],
    calls: [],
    credentials: [],
    failing: undefined,
    elsewhere: '',
    hasBasicOnly: false,
    onCall: undefined,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return sonar
}

function answer(sonar: SonarServer, request: IncomingMessage, url: URL): Answer {
  if (sonar.failing !== undefined) return [sonar.failing, 'maintenance']
  if (!isAllowed(sonar, request)) return [401, '']
  const given = url.searchParams
  switch (url.pathname) {
    case '/api/project_analyses/search':
      return given.get('project') === 'shop' ? listed(sonar, given) : notFound
    case '/api/qualitygates/project_status': {
      const analysis = sonar.analyses.find(({ key }) => key === given.get('analysisId'))
      return analysis === undefined ? notFound : [200, projectStatus(analysis.status)]
    }
    case '/api/ce/task': {
      const task = sonar.tasks.find(({ id }) => id === given.get('id'))
      return task === undefined ? notFound : [200, { task: shownTask(task) }]
    }
    case '/api/ce/component': {
      if (given.get('component') !== 'shop') return notFound
      const queue = sonar.tasks.filter(({ status }) => status === 'PENDING' || status === 'IN_PROGRESS')
      return [200, { queue: queue.map(shownTask) }]
    }
    default:
      return [404, { errors: [{ msg: `Unknown url : ${url.pathname}` }] }]
  }
}

function isAllowed({ token, hasBasicOnly }: SonarServer, { headers }: IncomingMessage): boolean {
  const basic = `Basic ${Buffer.from(`${token}:`).toString('base64')}`
  return headers.authorization === basic || (!hasBasicOnly && headers.authorization === `Bearer ${token}`)
}

function listed({ analyses }: SonarServer, given: URLSearchParams): Answer {
  const branch = given.get('branch') ?? (given.has('pullRequest') ? null : 'main')
  const shown = analyses.filter((one) =>
    given.has('pullRequest') ? one.pullRequest === given.get('pullRequest') : (one.branch ?? 'main') === branch,
  )
  return [
    200,
    {
      paging: { pageIndex: 1, pageSize: Number(given.get('ps')), total: shown.length },
      analyses: shown.map(({ key, revision }) => ({ key, date: '2026-11-21T09:00:00+0000', events: [], revision })),
    },
  ]
}

function shownTask({ id, status, analysis, project = 'shop', branch, error }: SonarTask): object {
  return {
    id,
    type: 'REPORT',
    componentKey: project,
    status,
    submittedAt: '2026-11-21T09:00:00+0000',
    ...(analysis === undefined ? {} : { analysisId: analysis }),
    ...(branch === undefined ? {} : { branch, branchType: 'BRANCH' }),
    ...(error === undefined ? {} : { errorMessage: error }),
  }
}

function projectStatus(status: SonarAnalysis['status']): object {
  const coverage = { metricKey: 'new_coverage', comparator: 'LT', errorThreshold: '85' }
  const conditions =
    status === 'NONE'
      ? []
      : [
          { ...coverage, status: status === 'OK' ? 'OK' : 'ERROR', actualValue: status === 'OK' ? '91.2' : '82.5' },
          { status: 'OK', metricKey: 'new_violations', comparator: 'GT', errorThreshold: '0', actualValue: '0' },
        ]
  return { projectStatus: { status, ignoredConditions: false, caycStatus: 'compliant', conditions } }
}
