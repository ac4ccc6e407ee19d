import { pointerProblem } from '#core/webhook/json-pointer.ts'
import { cancelMethods, webhookMethods } from '#core/webhook/model.ts'
import type { CoolifyField, GenericCall, WebhookCall, WebhookTarget } from '#core/webhook/model.ts'
import { namesIn, templateNames } from '#core/webhook/template.ts'
import type { ValuesOf } from './field.ts'
import type { Path } from './place.ts'
import type { ProjectReader } from './reader.ts'
import type { webhookFields } from './webhook-schema.ts'

type WrittenWebhook = ValuesOf<typeof webhookFields>

const minute = 60_000
/** Values of keys that were not written. */
const webhookDefaults = { withinMs: 10 * minute, everyMs: 5000 } as const

/** Uuids of Coolify are cuid2: letters and digits. */
const uuidPattern = /^[A-Za-z0-9_-]{1,64}$/
const headerPattern = /^([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([^\p{Cc}]{0,4096})$/u

interface Place {
  readonly path: Path
  readonly written: WrittenWebhook
}

/** A target of an environment whose driver is `webhook`; a sentence where its address cannot be used. */
export function readWebhookTarget(
  reader: ProjectReader,
  at: string,
  { name, ...place }: Place & { readonly name: string | undefined },
): WebhookTarget | { readonly problem: string } {
  const url = parseAddress(at)
  if ('problem' in url) return url
  const { written } = place
  warnOfPlainText(reader, url, place)
  const common = {
    ...(written.token === undefined ? {} : { token: written.token }),
    withinMs: written.within ?? webhookDefaults.withinMs,
    everyMs: written.every ?? webhookDefaults.everyMs,
  }
  if (written.kind !== 'coolify') {
    const call: WebhookCall = { kind: 'generic', ...common, ...readGeneric(reader, place) }
    return { kind: 'webhook', name: name ?? `${url.host}${url.pathname.replace(/\/$/, '')}`, url: url.href, call }
  }
  const application = url.searchParams.get('uuid') ?? written.application
  if (application === undefined)
    return {
      problem:
        'it names no application; write "application" in "webhook", or the deploy webhook that Coolify shows (…/api/v1/deploy?uuid=…)',
    }
  if (!uuidPattern.test(application)) return { problem: `"${application}" is no uuid of a Coolify application` }
  const call: WebhookCall = {
    kind: 'coolify',
    ...common,
    application,
    set: readFields(reader, place),
    force: written.force ?? url.searchParams.get('force') === 'true',
  }
  return { kind: 'webhook', name: name ?? `${url.host}/${application}`, url: apiBase(url), call }
}

/** Whoever is on the way could read the token, and deploy with it. */
function warnOfPlainText(reader: ProjectReader, url: URL, { written, path }: Place): void {
  const isHere = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol === 'https:' || isHere || written.token === undefined) return
  reader.report('CONFIG_TOKEN_UNENCRYPTED', [...path, 'token'], {
    severity: 'warning',
    message: `The secret ${written.token} would travel unencrypted to ${url.origin}.`,
    hint: 'Write https://, or take a network that nobody else is on.',
  })
}

function parseAddress(at: string): URL | { readonly problem: string } {
  if (!URL.canParse(at)) return { problem: 'the target of a webhook is an address such as https://coolify.example.org' }
  const url = new URL(at)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return { problem: 'a webhook is called by https:// (or http:// on a network that you trust)' }
  if (url.username !== '' || url.password !== '')
    return { problem: 'a password cannot stand in a target; name a secret as "token" in "webhook"' }
  if (namesIn(at).length > 0) return { problem: 'the address of a target is fixed' }
  return url
}

/** `https://host/api/v1` of an address of the server, of its API, or of a deploy webhook as Coolify shows it. */
function apiBase(url: URL): string {
  const path = url.pathname.replace(/\/+$/, '').replace(/\/deploy$/, '')
  return `${url.origin}${path.endsWith('/api/v1') ? path : `${path}/api/v1`}`
}

function readFields(reader: ProjectReader, { written, path }: Place): Readonly<Partial<Record<CoolifyField, string>>> {
  const fields: readonly (readonly [CoolifyField, 'tag' | 'branch' | 'commit'])[] = [
    ['docker_registry_image_tag', 'tag'],
    ['git_branch', 'branch'],
    ['git_commit_sha', 'commit'],
  ]
  return Object.fromEntries(
    fields.flatMap(([field, key]) => {
      const text = written[key]
      if (text === undefined) return []
      checkNames(reader, text, [...path, key])
      return [[field, text]]
    }),
  )
}

function readGeneric(
  reader: ProjectReader,
  place: Place,
): Omit<GenericCall, 'kind' | 'token' | 'withinMs' | 'everyMs'> {
  const { written, path } = place
  const { status, current, body } = written
  const cancel = status === undefined ? undefined : readCancel(reader, place)
  if (status === undefined && written.cancel !== undefined)
    reader.report('CONFIG_VALUE_INVALID', [...path, 'cancel'], {
      message: '"cancel" needs "status": without it an answer of the 200s is the end, and nothing is left to cancel.',
      hint: 'Say in "status" where to ask how far a deployment is, or take "cancel" out.',
    })
  if (body !== undefined) checkNames(reader, body, [...path, 'body'], ['secrets.'])
  return {
    method: webhookMethods.find((method) => method === written.method) ?? 'POST',
    headers: readHeaders(reader, place),
    ...(body === undefined ? {} : { body }),
    ...(status === undefined ? {} : { status: readStatus(reader, status, [...path, 'status']) }),
    ...(cancel === undefined ? {} : { cancel }),
    ...(current === undefined ? {} : { current: readQuestion(reader, current, [...path, 'current']) }),
  }
}

function readHeaders(reader: ProjectReader, { written, path }: Place): GenericCall['headers'] {
  return (written.headers ?? []).flatMap((text, index) => {
    const at = [...path, 'headers', index]
    const [, name, value] = headerPattern.exec(text) ?? []
    if (name === undefined || value === undefined) {
      reader.report('CONFIG_VALUE_INVALID', at, { message: `"${text}" is no header.`, hint: 'Write "Name: value".' })
      return []
    }
    checkNames(reader, value, at, ['secrets.'])
    return [{ name, value }]
  })
}

function readStatus(
  reader: ProjectReader,
  written: NonNullable<WrittenWebhook['status']>,
  path: Path,
): NonNullable<GenericCall['status']> {
  return {
    ...readQuestion(reader, written, path, ['answer/']),
    success: written.success ?? [],
    failure: written.failure ?? [],
  }
}

function readCancel(reader: ProjectReader, { written, path }: Place): GenericCall['cancel'] {
  if (written.cancel === undefined) return undefined
  const { url = '', method } = written.cancel
  const at = [...path, 'cancel', 'url']
  checkNames(reader, url, at, ['answer/'])
  const address = parseAddress(url.replaceAll(/\$\{\{.*?\}\}/g, 'x'))
  if ('problem' in address)
    reader.report('CONFIG_URL_INVALID', at, { message: `"${url}" cannot be called: ${address.problem}.` })
  return { method: cancelMethods.find((one) => one === method) ?? 'POST', url }
}

function readQuestion(
  reader: ProjectReader,
  { url = '', pointer = '' }: { readonly url?: string; readonly pointer?: string },
  path: Path,
  prefixes: readonly string[] = [],
): { readonly url: string; readonly pointer: string } {
  checkNames(reader, url, [...path, 'url'], prefixes)
  const address = parseAddress(url.replaceAll(/\$\{\{.*?\}\}/g, 'x'))
  if ('problem' in address)
    reader.report('CONFIG_URL_INVALID', [...path, 'url'], { message: `"${url}" cannot be asked: ${address.problem}.` })
  const problem = pointerProblem(pointer)
  if (problem !== undefined)
    reader.report('CONFIG_VALUE_INVALID', [...path, 'pointer'], {
      message: `"${pointer}" is no place in JSON: ${problem}.`,
    })
  return { url, pointer }
}

function checkNames(reader: ProjectReader, text: string, path: Path, prefixes: readonly string[] = []): void {
  for (const name of namesIn(text)) {
    if ((templateNames as readonly string[]).includes(name) || prefixes.some((prefix) => name.startsWith(prefix)))
      continue
    const more = prefixes.map((prefix) => (prefix === 'answer/' ? 'answer/POINTER' : `${prefix}NAME`))
    reader.report('CONFIG_VALUE_INVALID', path, {
      message: `"\${{ ${name} }}" has no value here.`,
      hint: `Allowed: ${[...templateNames, ...more].join(', ')}.`,
    })
  }
}
