import type { Json } from '#core/json.ts'
import { webhookAnswerInvalid, webhookDeploymentFailed } from '#core/known/webhook.ts'
import type { Release } from '#core/release/model.ts'
import { textAt } from '#core/webhook/json-pointer.ts'
import type { GenericCall } from '#core/webhook/model.ts'
import { fillTemplate } from '#core/webhook/template.ts'
import { follow } from './follow.ts'
import type { Step } from './follow.ts'
import type { Platform, PlatformScene, Sight, PlatformWork } from './platform.ts'

interface GenericScene extends PlatformScene {
  readonly call: GenericCall
}

/** A platform without a form of its own: one call as `webhook:` says, and a status address where it has one. */
export function generic(call: GenericCall): Platform {
  return {
    look: (scene, signal) => look({ ...scene, call }, signal),
    deploy: (scene, release, work) => deploy({ ...scene, call }, release, work),
  }
}

async function look(scene: GenericScene, signal: AbortSignal): Promise<Sight | undefined> {
  const { current } = scene.call
  if (current === undefined) return undefined
  const request = { method: 'GET', url: current.url, headers: headersOf(scene, undefined) }
  const version = textAt(await scene.client.askJson(request, signal), current.pointer)
  return {
    isSetTo: ({ id, manifest }) =>
      version !== undefined && [id, manifest.version, manifest.source.sha].includes(version),
    version: version ?? 'no version',
  }
}

/** A call of which nothing is known but its address cannot be cancelled: whoever goes back waits for its end. */
async function deploy(scene: GenericScene, release: Release, { progress, signal }: PlatformWork): Promise<void> {
  const { call, client, target, environment, secrets } = scene
  const isJson = call.body !== undefined && /^\s*[[{]/.test(call.body)
  const request = {
    method: call.method,
    url: target.url,
    headers: {
      ...(isJson ? { 'content-type': 'application/json' } : {}),
      ...headersOf(scene, release),
    },
    ...(call.body === undefined || call.method === 'GET'
      ? {}
      : { body: fillTemplate(call.body, { release, environment, secrets }, isJson ? 'json' : 'plain') }),
  }
  const answer = await client.ask(request, signal)
  if (answer.status < 200 || answer.status > 299) throw client.refusal(request, answer)
  progress(`${client.redact(`${call.method} ${target.url}`)} was answered with ${answer.status}`)
  if (call.status === undefined) return
  const begun = parse(answer.text)
  const url = fillTemplate(
    call.status.url,
    { release, environment, answer: (pointer) => (begun === undefined ? undefined : textAt(begun, pointer)) },
    'url',
  )
  if (url.includes('${{'))
    throw webhookAnswerInvalid({
      target: target.name,
      call: client.redact(`${call.method} ${target.url}`),
      problem: `it has no value for ${url.slice(url.indexOf('${{'))}`,
    })
  await follow(scene, target.name, () => ask(scene, url, signal), { progress, signal })
}

async function ask(scene: GenericScene, url: string, signal: AbortSignal): Promise<Step> {
  const { call, client, target } = scene
  const { pointer = '', success = [], failure = [] } = call.status ?? {}
  const answer = await client.askJson({ method: 'GET', url, headers: headersOf(scene, undefined) }, signal)
  const status = textAt(answer, pointer)
  if (status === undefined)
    throw webhookAnswerInvalid({
      target: target.name,
      call: client.redact(`GET ${url}`),
      problem: `it has no text at "${pointer}"`,
    })
  const word = client.redact(status).slice(0, 100)
  if (success.includes(status)) return { status: word, end: 'success' }
  if (!failure.includes(status)) return { status: word }
  const fact = { target: target.name, deployment: new URL(url).pathname, status: word, details: [] }
  return { status: word, end: webhookDeploymentFailed(fact) }
}

/** Headers that name a release go with the call itself only. */
function headersOf({ call, environment, secrets }: GenericScene, release: Release | undefined): Record<string, string> {
  return Object.fromEntries(
    call.headers.flatMap(({ name, value }): readonly (readonly [string, string])[] => {
      if (release !== undefined) return [[name, fillTemplate(value, { release, environment, secrets })]]
      const filled = value.replaceAll(
        /\$\{\{\s*secrets\.(\w+)\s*\}\}/g,
        (whole, secret: string) => secrets[secret] ?? whole,
      )
      return filled.includes('${{') ? [] : [[name, filled]]
    }),
  )
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
