import { execFile } from 'node:child_process'
import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Who may ask for tokens, and what for. */
export interface TokenUser {
  readonly name: string
  readonly password: string
  readonly actions: readonly string[]
}

/** What GHCR and Docker Hub have beside their registries: a service that gives tokens for one repository and some actions. */
export interface TokenServer extends AsyncDisposable {
  /** Part of the registry's configuration. */
  readonly auth: { readonly token: Readonly<Record<string, string>> }
  /** Scopes that were asked for. */
  readonly scopes: readonly string[]
}

/** The caller has asked `requireSystem(['openssl'])`. */
export async function startTokenServer(folder: string, users: readonly TokenUser[]): Promise<TokenServer> {
  const [keyFile, certificateFile] = [join(folder, 'token.key'), join(folder, 'token.crt')]
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=tokens']
  await promisify(execFile)('openssl', [...request, '-keyout', keyFile, '-out', certificateFile])
  const key = createPrivateKey(await readFile(keyFile))
  const certificate = (await readFile(certificateFile, 'utf8')).replaceAll(/-----[^-]+-----|\s/g, '')
  const scopes: string[] = []
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://tokens')
    const user = userOf(incoming.headers.authorization, users)
    if (user === undefined) return void response.writeHead(401).end('{}')
    const wanted = url.searchParams.getAll('scope').flatMap((scope) => scope.split(' '))
    scopes.push(...wanted)
    const token = makeToken(key, certificate, { user, wanted, service: url.searchParams.get('service') ?? '' })
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ token }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  return {
    auth: { token: { realm, service: 'shipway-test', issuer: 'tokens', rootcertbundle: certificateFile } },
    scopes,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function userOf(header: string | undefined, users: readonly TokenUser[]): TokenUser | undefined {
  const pair = Buffer.from((header ?? '').replace(/^Basic /, ''), 'base64').toString('utf8')
  return users.find(({ name, password }) => pair === `${name}:${password}`)
}

/** https://distribution.github.io/distribution/spec/auth/jwt/ */
function makeToken(
  key: KeyObject,
  certificate: string,
  { user, wanted, service }: { user: TokenUser; wanted: readonly string[]; service: string },
): string {
  const now = Math.floor(Date.now() / 1000)
  const access = wanted.map((scope) => {
    const [type = '', name = '', actions = ''] = scope.split(':')
    return { type, name, actions: actions.split(',').filter((action) => user.actions.includes(action)) }
  })
  const claims = {
    iss: 'tokens',
    sub: user.name,
    aud: service,
    iat: now,
    nbf: now - 60,
    exp: now + 600,
    jti: randomUUID(),
    access,
  }
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const kid = createHash('sha256').update(certificate).digest('hex').slice(0, 12)
  const text = `${encode({ typ: 'JWT', alg: 'RS256', kid, x5c: [certificate] })}.${encode(claims)}`
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}
