import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { ActionContext, StepDocker } from '../actions/built-in-action.ts'
import { findProgram } from '../find-program.ts'
import type { Credentials } from './registry-client.ts'

/** How long a credential helper may think. */
const HELPER_MS = 20_000
/** Settings that a configuration of our own takes over: where the engine is, and what the program can do. Logins are not among them. */
const keptSettings = ['currentContext', 'cliPluginsExtraDirs', 'proxies', 'HttpHeaders', 'aliases', 'plugins']
/** Logins that were there before. `credsStore` is left out: a login of a job does not belong into somebody's keyring. */
const loginSettings = ['auths', 'credHelpers']

/** A configuration of Docker that is removed when its login is over: nobody's `~/.docker` is touched. */
export interface OwnConfig extends Disposable {
  readonly folder: string
}

export function makeOwnConfig(
  context: ActionContext,
  docker: StepDocker,
  { keepsLogins = false }: { readonly keepsLogins?: boolean } = {},
): OwnConfig {
  const folder = mkdtempSync(join(context.temp, '_docker_config_'))
  const users = configFolder(docker)
  for (const name of ['cli-plugins', 'contexts']) {
    if (existsSync(join(users, name))) symlinkSync(join(users, name), join(folder, name))
  }
  const settings = readConfig(users)
  const names = keepsLogins ? [...keptSettings, ...loginSettings] : keptSettings
  const kept = Object.fromEntries(names.flatMap((name) => (name in settings ? [[name, settings[name]]] : [])))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(kept), { mode: 0o600 })
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) }
}

/** The login that the configuration of the step has for a registry, as docker itself would find it; undefined when it has none. */
export async function knownLogin(docker: StepDocker, registry: string | undefined): Promise<Credentials | undefined> {
  const server = registry ?? 'https://index.docker.io/v1/'
  const config = readConfig(configFolder(docker))
  const helper = memberOf(config['credHelpers'], server) ?? config['credsStore']
  if (typeof helper === 'string' && /^[\w.-]+$/.test(helper)) {
    const found = await askHelper(docker, helper, server)
    if (found !== undefined) return found
  }
  const entry = memberOf(config['auths'], server)
  const auth = isJsonObject(entry) ? entry['auth'] : undefined
  if (typeof auth !== 'string' || auth === '') return undefined
  const pair = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = pair.indexOf(':')
  return colon <= 0 ? undefined : { username: pair.slice(0, colon), password: pair.slice(colon + 1) }
}

function configFolder(docker: StepDocker): string {
  return docker.env['DOCKER_CONFIG'] ?? join(docker.env['HOME'] ?? homedir(), '.docker')
}

function readConfig(folder: string): JsonObject {
  try {
    const value = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Json
    return isJsonObject(value) ? value : {}
  } catch {
    // None is the usual case; docker itself says what is wrong with one that cannot be read.
    return {}
  }
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined
}

async function askHelper(docker: StepDocker, helper: string, server: string): Promise<Credentials | undefined> {
  const program = findProgram(`docker-credential-${helper}`, docker.env['PATH'] ?? '', '/')
  if (program === undefined) return undefined
  const child = spawn(program, ['get'], { env: docker.env, stdio: ['pipe', 'pipe', 'ignore'], timeout: HELPER_MS })
  child.stdin.on('error', () => {})
  child.stdin.end(server)
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(0, 64 * 1024)))
  const status = await new Promise((resolve) => {
    child.once('error', () => resolve(-1))
    child.once('close', resolve)
  })
  return status === 0 ? loginIn(said) : undefined
}

/** A name in pointed brackets says that the word is no password but a token for another way to log in. */
function loginIn(text: string): Credentials | undefined {
  try {
    const value = JSON.parse(text) as Json
    const { Username: username, Secret: password } = isJsonObject(value) ? value : {}
    if (typeof username !== 'string' || typeof password !== 'string' || username.startsWith('<')) return undefined
    return { username, password }
  } catch {
    return undefined
  }
}
