import type { Readable, Writable } from 'node:stream'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { errorFromReport } from '#core/errors.ts'
import type { ErrorKind, ErrorReport } from '#core/errors.ts'
import { messageInvalid } from '#core/known/runner.ts'
import type { AgentMessage, RunnerMessage, RunnerRequest } from '#core/run/job-order.ts'
import { Stopped } from './job-control.ts'
import type { Stop } from './job-control.ts'

/** Which attempt of which job a message is about: the fencing token. */
export interface JobTag {
  readonly runId: string
  readonly jobKey: string
  readonly attempt: number
}

interface OpenRequest {
  resolve(result: Json): void
  reject(error: Error): void
  onProgress(line: string): void
}

/** Longest message that the runner reads, in characters: a job with all its secrets and its event fits many times. */
const messageLengthMax = 64 * 1024 * 1024

/** The pipe between the runner and its agent: JSON documents, one per line, in both directions. */
export class AgentChannel {
  readonly #input: Readable
  readonly #output: Writable
  readonly #requests = new Map<number, OpenRequest>()
  #requestCount = 0

  constructor(input: Readable, output: Writable) {
    this.#input = input
    this.#output = output
    // A closed agent shows as the end of the input, too; a failed write needs no answer of its own.
    output.on('error', () => {})
  }

  send(message: RunnerMessage): void {
    this.#output.write(`${JSON.stringify(message)}\n`)
  }

  /** Everything the agent says, except answers to requests, until it closes the pipe. */
  async *messages(): AsyncGenerator<AgentMessage> {
    let pending = ''
    this.#input.setEncoding('utf8')
    for await (const chunk of this.#input as AsyncIterable<string>) {
      pending += chunk
      if (pending.length > messageLengthMax) throw messageInvalid({ line: pending })
      let start = 0
      for (let end = pending.indexOf('\n'); end !== -1; end = pending.indexOf('\n', start)) {
        const message = parseMessage(pending.slice(start, end))
        start = end + 1
        if (!this.#settle(message)) yield message
      }
      pending = pending.slice(start)
    }
  }

  /** Asks the agent; resolves with its answer, rejects with its error or when the signal is aborted. */
  async request(tag: JobTag, request: RunnerRequest, onProgress: (line: string) => void, stop: Stop): Promise<Json> {
    const requestId = (this.#requestCount += 1)
    const { promise, resolve, reject } = Promise.withResolvers<Json>()
    const onAbort = () => reject(new Stopped())
    stop.signal.addEventListener('abort', onAbort)
    this.#requests.set(requestId, { resolve, reject, onProgress })
    try {
      stop.check()
      this.send({ type: 'request', ...tag, requestId, request })
      return await promise
    } finally {
      this.#requests.delete(requestId)
      stop.signal.removeEventListener('abort', onAbort)
    }
  }

  /** Hands an answer to the request that waits for it; false for every other message. */
  #settle(message: AgentMessage): boolean {
    if (message.type !== 'reply' && message.type !== 'reply-error' && message.type !== 'progress') return false
    const request = this.#requests.get(message.requestId)
    if (message.type === 'progress') request?.onProgress(message.line)
    else if (message.type === 'reply') request?.resolve(message.result)
    else request?.reject(errorFromReport(readReport(message.error)))
    return true
  }
}

function parseMessage(line: string): AgentMessage {
  const value = parseJson(line)
  if (!isJsonObject(value) || typeof value['type'] !== 'string') throw messageInvalid({ line })
  return value as unknown as AgentMessage
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function readReport(error: Json): ErrorReport {
  const report = isJsonObject(error) ? error : {}
  const text = (name: string) => (typeof report[name] === 'string' ? report[name] : undefined)
  const hint = text('hint')
  return {
    code: text('code') ?? 'REQUEST_FAILED',
    kind: (text('kind') as ErrorKind | undefined) ?? 'red',
    message: text('message') ?? 'The agent refused the request.',
    ...(hint === undefined ? {} : { hint }),
    ...(Array.isArray(report['details']) ? { details: (report['details'] as Json[]).map(String) } : {}),
  }
}
