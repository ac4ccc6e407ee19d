import * as known from '#core/known/webhook.ts'
import type { Json } from '#core/json.ts'
import type { Redactor } from '#core/redact/redactor.ts'
import type { Clock } from '#ports/clock.ts'

/** One request may take this long, its answer included. */
const requestMsMax = 30_000
/** Bytes of an answer; the log of a deployment is part of Coolify's. */
export const answerBytesMax = 8 * 1024 * 1024
/** Times that a platform may ask to come again later. */
const laterMax = 10
/** What a platform may ask for at most with `Retry-After`; longer is cut. */
const laterMsMax = 120_000
/** Where a 429 does not say when. */
const laterMsDefault = 5000
const excerptLengthMax = 200

export interface WebhookRequest {
  readonly method: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface WebhookAnswer {
  readonly status: number
  readonly text: string
}

/** Calls to one target: no redirect is followed, nothing is read without a limit, and no secret gets into an error. */
export interface WebhookClient {
  /** Any answer but a redirect or a 401, 403 or 429. */
  ask(request: WebhookRequest, signal: AbortSignal): Promise<WebhookAnswer>
  /** An answer of the 200s as JSON. */
  askJson(request: WebhookRequest, signal: AbortSignal): Promise<Json>
  /** The error of an answer that says no. */
  refusal(request: WebhookRequest, answer: WebhookAnswer): Error
  readonly clock: Clock
  readonly redact: (text: string) => string
}

export function webhookClient(scene: {
  readonly target: string
  readonly token?: string
  readonly redactor: Redactor
  readonly clock: Clock
}): WebhookClient {
  const redact = (text: string): string => scene.redactor.redact(text)
  const factOf = ({ method, url }: WebhookRequest) => ({ target: scene.target, call: redact(`${method} ${url}`) })
  const ask: WebhookClient['ask'] = async (request, signal) => {
    const fact = factOf(request)
    for (let later = 0; ; later += 1) {
      const { response, text } = await send(request, { ...scene, fact, redact }, signal)
      const { status } = response
      if (status >= 300 && status < 400)
        throw known.webhookRedirected({
          ...fact,
          status,
          location: redact(response.headers.get('location') ?? 'nowhere').slice(0, excerptLengthMax),
        })
      if (status === 401 || status === 403)
        throw known.webhookAuthRefused({ ...fact, status, answer: excerpt(redact(text)) })
      if (status !== 429 || later >= laterMax) return { status, text }
      await scene.clock.sleep(laterMs(response.headers.get('retry-after'), scene.clock.now()), signal)
    }
  }
  const refusal: WebhookClient['refusal'] = (request, { status, text }) =>
    known.webhookRefused({
      ...factOf(request),
      status,
      answer: excerpt(redact(text)),
      mayRetry: status >= 500 || status === 429,
    })
  return {
    ask,
    refusal,
    redact,
    clock: scene.clock,
    askJson: async (request, signal) => {
      const answer = await ask(request, signal)
      if (answer.status < 200 || answer.status > 299) throw refusal(request, answer)
      const value = parseJson(answer.text)
      if (value === undefined)
        throw known.webhookAnswerInvalid({
          ...factOf(request),
          problem: `it is no JSON but ${excerpt(redact(answer.text))}`,
        })
      return value
    },
  }
}

async function send(
  request: WebhookRequest,
  scene: {
    readonly token?: string
    readonly fact: { readonly target: string; readonly call: string }
    readonly redact: (text: string) => string
  },
  signal: AbortSignal,
): Promise<{ readonly response: Response; readonly text: string }> {
  const deadline = AbortSignal.timeout(requestMsMax)
  try {
    const response = await fetch(request.url, {
      method: request.method,
      redirect: 'manual',
      signal: AbortSignal.any([signal, deadline]),
      headers: {
        accept: 'application/json',
        'user-agent': 'shipway',
        connection: 'close',
        ...(scene.token === undefined ? {} : { authorization: `Bearer ${scene.token}` }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: request.body }),
    })
    return { response, text: await readText(response, scene.fact) }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Error && 'code' in error && error.code === 'WEBHOOK_ANSWER_TOO_LARGE') throw error
    const why = deadline.aborted ? `nothing came within ${requestMsMax / 1000} s` : scene.redact(causeOf(error))
    throw known.webhookUnreachable({ ...scene.fact, why })
  }
}

async function readText(response: Response, fact: { readonly target: string; readonly call: string }): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > answerBytesMax) throw known.webhookAnswerTooLarge({ ...fact, bytesMax: answerBytesMax })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** `Retry-After` in seconds or as a date (RFC 9110 §10.2.3). Milliseconds. */
function laterMs(written: string | null, now: number): number {
  if (written === null) return laterMsDefault
  const ms = /^\d{1,9}$/.test(written.trim()) ? Number(written) * 1000 : Date.parse(written) - now
  return Number.isNaN(ms) ? laterMsDefault : Math.min(laterMsMax, Math.max(0, ms))
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** undici hides the reason in the cause. */
function causeOf(error: unknown): string {
  const { cause } = error as { readonly cause?: unknown }
  const told = cause instanceof Error ? cause : error
  if (!(told instanceof Error)) return String(told)
  const { code } = told as NodeJS.ErrnoException
  return told.message === '' ? (code ?? told.name) : told.message
}

function excerpt(body: string): string {
  const text = body.replaceAll(/\s+/g, ' ').trim()
  if (text === '') return 'an empty body'
  return `"${text.length > excerptLengthMax ? `${text.slice(0, excerptLengthMax)}…` : text}"`
}
