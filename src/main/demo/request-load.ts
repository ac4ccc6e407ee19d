import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a load saw. `sent` is `answered` plus the failures. */
export interface LoadReport {
  readonly sent: number
  readonly answered: number
  /** Everything that was not an answer with status 200, by its reason. */
  readonly failures: ReadonlyMap<string, number>
  /** Answers by the version that gave them, in the order in which the versions were first seen. */
  readonly versions: ReadonlyMap<string, number>
  /** When each version answered first, on the clock of `performance.now()`. */
  readonly firstAnswerAt: ReadonlyMap<string, number>
  readonly slowestMs: number
}

/** Requests that are under way at the same time. */
const concurrency = 4
/** Between two requests of one of them. Each takes one of some 28,000 ports of this machine for a minute: at this pace they are never used up. */
const pauseMs = 10
const requestMsMax = 10_000

/**
 * Asks `url` (a `/version` that answers `{ version }`) again and again until it is stopped, over a new connection each time:
 * a connection that is kept open would never meet the moment in which nobody listens.
 */
export class RequestLoad implements AsyncDisposable {
  readonly #url: string
  readonly #failures = new Map<string, number>()
  readonly #versions = new Map<string, number>()
  readonly #firstAnswerAt = new Map<string, number>()
  readonly #workers: readonly Promise<void>[]
  #sent = 0
  #answered = 0
  #slowestMs = 0
  #isStopped = false

  constructor(url: string) {
    this.#url = url
    this.#workers = Array.from({ length: concurrency }, () => this.#work())
  }

  /** Answers so far, to wait until the load really runs. */
  get answered(): number {
    return this.#answered
  }

  get versions(): ReadonlyMap<string, number> {
    return this.#versions
  }

  async stop(): Promise<LoadReport> {
    this.#isStopped = true
    await Promise.all(this.#workers)
    return {
      sent: this.#sent,
      answered: this.#answered,
      failures: this.#failures,
      versions: this.#versions,
      firstAnswerAt: this.#firstAnswerAt,
      slowestMs: this.#slowestMs,
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async #work(): Promise<void> {
    while (!this.#isStopped) {
      this.#sent += 1
      const begun = performance.now()
      try {
        this.#countAnswer(await askVersion(this.#url, requestMsMax))
      } catch (error) {
        count(this.#failures, error instanceof Error ? error.message : String(error))
      }
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - begun)
      await sleep(pauseMs)
    }
  }

  #countAnswer(version: string): void {
    if (!this.#versions.has(version)) this.#firstAnswerAt.set(version, performance.now())
    count(this.#versions, version)
    this.#answered += 1
  }
}

/** The version that answers at `url` right now, asked over a connection of its own. */
export function askVersion(url: string, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(url, { agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('error', reject)
      response.on('end', () => {
        if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
        else resolve(versionIn(body))
      })
    })
    call.on('error', reject)
    call.end()
  })
}

function versionIn(body: string): string {
  const answer: unknown = JSON.parse(body)
  if (typeof answer === 'object' && answer !== null && 'version' in answer) return String(answer.version)
  throw new Error('the answer has no version')
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
