import { createHmac, timingSafeEqual } from 'node:crypto'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { serviceTokenInvalid, serviceUrlInvalid } from '#core/known/service.ts'

/** Whose calls a token admits. */
export interface TokenScope {
  readonly runId: string
  readonly jobKey: string
}

/** A ref whose caches the job may read, and also write where `isWritable`. */
export interface CacheScope {
  readonly ref: string
  readonly isWritable: boolean
}

const READ = 1
const READ_WRITE = 3

/**
 * The token of a job: a JWT signed with a key that only this server has. Clients read `scp` for the ids of run and job
 * (`@actions/artifact`), and `ac` for the cache scopes (BuildKit).
 */
export function makeToken(
  key: Buffer,
  scope: TokenScope,
  facts: { readonly caches: readonly CacheScope[]; readonly now: number; readonly expires: number },
): string {
  const caches = facts.caches.map(({ ref, isWritable }) => ({ Scope: ref, Permission: isWritable ? READ_WRITE : READ }))
  const claims = {
    iss: 'shipway',
    scp: `Actions.Results:${scope.runId}:${scope.jobKey}`,
    ac: JSON.stringify(caches),
    iat: Math.floor(facts.now / 1000),
    exp: Math.floor(facts.expires / 1000),
  }
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${text}.${sign(key, text)}`
}

/** Throws unless the header carries a token of this key that is still valid. */
export function checkToken(key: Buffer, authorization: string | undefined, now: number): void {
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw serviceTokenInvalid({ problem: 'there is none, or it is no JWT' })
  const [head = '', body = '', signature = ''] = token.split('.')
  if (!isEqual(signature, sign(key, `${head}.${body}`))) {
    throw serviceTokenInvalid({ problem: 'its signature is not of this job' })
  }
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Json
  const expires = isJsonObject(claims) ? claims['exp'] : undefined
  if (typeof expires !== 'number' || now >= expires * 1000) throw serviceTokenInvalid({ problem: 'it has expired' })
}

/** `r` to download, `w` to upload: an address for one is no address for the other. */
export type Permission = 'r' | 'w'

/** The query that makes a path usable without a token until it expires; named as Azure names them. */
export function signPath(key: Buffer, path: string, permission: Permission, expires: number): string {
  const query = new URLSearchParams({ se: new Date(expires).toISOString(), sp: permission })
  query.set('sig', sign(key, `${permission}\n${path}\n${query.get('se')}`))
  return query.toString()
}

/** Throws unless the address was signed with this key for this use, and its time is not over. */
export function checkPath(key: Buffer, url: URL, permission: Permission, now: number): void {
  const expires = url.searchParams.get('se') ?? ''
  const expected = sign(key, `${permission}\n${url.pathname}\n${expires}`)
  if (!isEqual(url.searchParams.get('sig') ?? '', expected)) {
    throw serviceUrlInvalid({ problem: 'its signature does not fit' })
  }
  if (now >= Date.parse(expires)) throw serviceUrlInvalid({ problem: `it has expired at ${expires}` })
}

function encode(value: Json): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function sign(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url')
}

function isEqual(given: string, expected: string): boolean {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}
