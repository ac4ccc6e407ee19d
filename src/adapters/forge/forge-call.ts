import { forgeRefused, forgeUnreachable } from '#core/known/forge.ts'

/** How long a forge may take to answer. */
const answerMsMax = 15_000
/** Longer answers are not read. Bytes. */
const answerBytesMax = 16 * 1024 * 1024
/** Characters of a refusal that are kept. */
const saidMax = 300
/** Pages of a list that are read; a repository with more open issues of ours does not exist. */
export const pagesMax = 50

export interface ForgeAddress {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** One call of a forge's API. Undefined for 404; what the forge may answer otherwise tomorrow is FORGE_UNREACHABLE. */
export async function callForge(
  forge: ForgeAddress,
  method: 'GET' | 'POST' | 'PUT' | 'PATCH',
  path: string,
  body?: object,
): Promise<unknown> {
  const url = `${forge.url.replace(/\/+$/, '')}/${path}`
  const shown = url.split('?')[0] ?? url
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method,
      redirect: 'error',
      headers: {
        accept: 'application/json',
        'user-agent': 'shipway',
        ...forge.headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([forge.signal, AbortSignal.timeout(answerMsMax)]),
    })
    text = await readLimited(response)
  } catch (error) {
    forge.signal.throwIfAborted()
    throw forgeUnreachable({ url: shown, why: whyOf(error), cause: error })
  }
  if (response.status === 404 && method === 'GET') return undefined
  const isLimited =
    response.status === 429 || (response.status === 403 && response.headers.get('x-ratelimit-remaining') === '0')
  if (response.status >= 500 || isLimited) throw forgeUnreachable({ url: shown, why: `status ${response.status}` })
  if (!response.ok) throw forgeRefused({ url: shown, status: response.status, said: saidIn(text) })
  try {
    return text === '' ? null : (JSON.parse(text) as unknown)
  } catch (error) {
    throw forgeUnreachable({ url: shown, why: 'the answer is no JSON', cause: error })
  }
}

/** All items of a list that comes in pages; undefined when there is no such list. */
export async function listPages(
  forge: ForgeAddress,
  page: (number: number) => string,
  size: number,
): Promise<readonly Readonly<Record<string, unknown>>[] | undefined> {
  const all: Readonly<Record<string, unknown>>[] = []
  for (let number = 1; number <= pagesMax; number += 1) {
    const answer = await callForge(forge, 'GET', page(number))
    if (answer === undefined) return undefined
    const items = listOf(answer)
    all.push(...items)
    if (items.length < size) break
  }
  return all
}

/** Where a forge is asked, with the header that its token travels in. */
export function forgeAddress(
  { forge, url }: { readonly forge: 'github' | 'gitlab' | 'gitea'; readonly url: string },
  token: string,
  signal: AbortSignal,
): ForgeAddress {
  switch (forge) {
    case 'github':
      return {
        url,
        signal,
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/vnd.github+json',
          'x-github-api-version': '2022-11-28',
        },
      }
    case 'gitea':
      return { url, signal, headers: { authorization: `token ${token}` } }
    case 'gitlab':
      return { url, signal, headers: { 'private-token': token } }
  }
}

/** `owner/name` as it stands in a path. */
export function pathOf(repository: string): string {
  return repository.split('/').map(encodeURIComponent).join('/')
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** An object of the answer; an empty one for anything else. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}

export function listOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map(objectOf) : []
}

async function readLimited({ body }: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > answerBytesMax) throw new Error(`the answer is longer than ${answerBytesMax} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

function saidIn(text: string): string {
  try {
    const { message, error } = objectOf(JSON.parse(text))
    return JSON.stringify(message ?? error ?? '')
      .replaceAll(/^"|"$/g, '')
      .slice(0, saidMax)
  } catch {
    return ''
  }
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = objectOf(error.cause)
  return typeof code === 'string' ? code : error.message
}
