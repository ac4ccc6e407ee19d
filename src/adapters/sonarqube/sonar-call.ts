import { KnownError } from '#core/errors.ts'
import { sonarQubeAnswerInvalid, sonarQubeRefused, sonarQubeUnreachable } from '#core/known/gate.ts'

/** How long the server may take for one answer. */
const answerMsMax = 15_000
/** Longer answers are not read. Bytes. */
const answerBytesMax = 4 * 1024 * 1024
/** Characters of a refusal that are kept. */
const saidMax = 300

export interface SonarAddress {
  readonly url: string
  readonly token: string
  readonly signal: AbortSignal
}

/**
 * One GET of SonarQube's API; undefined for 404. The token stands in a header only, and a redirect is a refusal: it would carry the token
 * elsewhere. Servers before 10 take a token only as the name of basic authentication.
 */
export async function callSonar(
  server: SonarAddress,
  path: string,
  query: Readonly<Record<string, string | undefined>>,
): Promise<string | undefined> {
  const first = await fetchSonar(server, { path, query, scheme: 'bearer' })
  const answer = first.status === 401 ? await fetchSonar(server, { path, query, scheme: 'basic' }) : first
  const { status, text, shown } = answer
  if (status === 404) return undefined
  if (status >= 500 || status === 429) throw sonarQubeUnreachable({ url: shown, why: `status ${status}` })
  if (status !== 200) throw sonarQubeRefused({ url: shown, status, said: saidIn(text) })
  return text
}

async function fetchSonar(
  { url, token, signal }: SonarAddress,
  asked: {
    readonly path: string
    readonly query: Readonly<Record<string, string | undefined>>
    readonly scheme: 'bearer' | 'basic'
  },
): Promise<{ readonly status: number; readonly text: string; readonly shown: string }> {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(asked.query)) if (value !== undefined) given.set(name, value)
  const shown = `${url.replace(/\/+$/, '')}/${asked.path}`
  const authorization =
    asked.scheme === 'bearer' ? `Bearer ${token}` : `Basic ${Buffer.from(`${token}:`).toString('base64')}`
  try {
    const response = await fetch(`${shown}?${given.toString()}`, {
      redirect: 'manual',
      headers: { accept: 'application/json', 'user-agent': 'shipway', authorization },
      signal: AbortSignal.any([signal, AbortSignal.timeout(answerMsMax)]),
    })
    return { status: response.status, text: await readLimited(response, shown), shown }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof KnownError) throw error
    throw sonarQubeUnreachable({ url: shown, why: whyOf(error), cause: error })
  }
}

async function readLimited({ body }: Response, shown: string): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > answerBytesMax)
      throw sonarQubeAnswerInvalid({ url: shown, problem: `it is longer than ${answerBytesMax} bytes` })
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

/** `{"errors": [{"msg": "…"}]}` */
function saidIn(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { msg?: unknown }[] }
    const said = (errors ?? []).flatMap(({ msg }) => (typeof msg === 'string' ? [msg] : []))
    return said.join('; ').slice(0, saidMax)
  } catch {
    return ''
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : error.message
}
