import { KnownError } from '#core/errors.ts'
import type { Json } from '#core/json.ts'
import { webhookAnswerInvalid, webhookDeploymentFailed } from '#core/known/webhook.ts'
import type { Release } from '#core/release/model.ts'
import { textAt } from '#core/webhook/json-pointer.ts'
import type { GenericCall } from '#core/webhook/model.ts'
import { fillTemplate } from '#core/webhook/template.ts'
import type { Progress } from '#ports/deploy-driver.ts'
import { follow } from './follow.ts'
import type { Step } from './follow.ts'
import type { Platform, PlatformScene, Sight, PlatformWork } from './platform.ts'

/** How long a platform may take to hear that it is to cancel. */
const cancelMsMax = 10_000

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

/** What was begun is told to stop where `cancel` says how; else the platform may end it later, and whoever stops it is told so. */
async function deploy(scene: GenericScene, release: Release, { progress, signal, stop }: PlatformWork): Promise<void> {
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
  const addressOf = (template: string): string => {
    const answered = (pointer: string): string | undefined => (begun === undefined ? undefined : textAt(begun, pointer))
    const url = fillTemplate(template, { release, environment, answer: answered }, 'url')
    if (!url.includes('${{')) return url
    throw webhookAnswerInvalid({
      target: target.name,
      call: client.redact(`${call.method} ${target.url}`),
      problem: `it has no value for ${url.slice(url.indexOf('${{'))}`,
    })
  }
  const url = addressOf(call.status.url)
  const cancel = call.cancel === undefined ? undefined : { ...call.cancel, url: addressOf(call.cancel.url) }
  const { version } = release.manifest
  const afterStop =
    cancel === undefined
      ? `"webhook" has no "cancel", so the platform was not told and may still bring ${version}`
      : `the platform is told to cancel ${version}`
  try {
    await follow(scene, target.name, () => ask(scene, url, signal), {
      progress,
      signal,
      afterStop,
      ...(stop === undefined ? {} : { stop }),
    })
  } catch (error) {
    const isOver = !(error instanceof KnownError) || error.code === 'WEBHOOK_DEPLOYMENT_FAILED'
    if (!isOver && cancel !== undefined) await sendCancel(scene, cancel, progress)
    throw error
  }
}

/** Best effort: the deployment ends here whatever the platform says, but what it says is told. */
async function sendCancel(
  scene: GenericScene,
  { method, url }: { readonly method: string; readonly url: string },
  progress: Progress,
): Promise<void> {
  const { client } = scene
  const shown = client.redact(`${method} ${url}`)
  try {
    const answer = await client.ask(
      { method, url, headers: headersOf(scene, undefined) },
      AbortSignal.timeout(cancelMsMax),
    )
    progress(`${shown}, to cancel, was answered with ${answer.status}`)
  } catch (error) {
    progress(`${shown}, to cancel, failed: ${client.redact(error instanceof Error ? error.message : String(error))}`)
  }
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
