import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import { webhookAnswerInvalid, webhookDeploymentFailed } from '#core/known/webhook.ts'
import type { Release } from '#core/release/model.ts'
import { fillTemplate } from '#core/webhook/template.ts'
import type { CoolifyCall, CoolifyField } from '#core/webhook/model.ts'
import { KnownError } from '#core/errors.ts'
import { follow } from './follow.ts'
import type { Step } from './follow.ts'
import type { Platform, PlatformScene, Sight, PlatformWork } from './platform.ts'

/** Lines of the platform's log that a failure repeats. */
const logLinesMax = 10
const fieldWords: Readonly<Record<CoolifyField, string>> = {
  docker_registry_image_tag: 'tag',
  git_branch: 'branch',
  git_commit_sha: 'commit',
}

interface CoolifyScene extends PlatformScene {
  readonly call: CoolifyCall
}

/** Coolify 4: `PATCH /applications/{uuid}`, `POST /deploy?uuid=` (GET on older servers), `GET /deployments/{uuid}` until its end. */
export function coolify(call: CoolifyCall): Platform {
  return {
    look: (scene, signal) => look({ ...scene, call }, signal),
    deploy: (scene, release, work) => deploy({ ...scene, call }, release, work),
  }
}

async function look(scene: CoolifyScene, signal: AbortSignal): Promise<Sight> {
  const { call, client } = scene
  const request = { method: 'GET', url: address(scene, `/applications/${call.application}`) }
  const application = await client.askJson(request, signal)
  if (!isJsonObject(application))
    throw webhookAnswerInvalid({ target: scene.target.name, call: `GET ${request.url}`, problem: 'it is no object' })
  const fields = Object.keys(call.set) as readonly CoolifyField[]
  const found = fields.map((field) => `${fieldWords[field]} ${textOf(application[field]) ?? 'none'}`)
  const status = textOf(application['status'])
  return {
    isSetTo: (release) =>
      Object.entries(settingsOf(scene, release)).every(([field, value]) => textOf(application[field]) === value),
    ...(found.length === 0 ? {} : { version: found.join(', ') }),
    ...(status === undefined ? {} : { says: { text: status, isIll: !/^running(?::(?!unhealthy)|$)/.test(status) } }),
  }
}

async function deploy(scene: CoolifyScene, release: Release, { progress, signal, stop }: PlatformWork): Promise<void> {
  const { call, client } = scene
  const settings = settingsOf(scene, release)
  if (Object.keys(settings).length > 0) {
    progress(`setting ${describe(settings)}`)
    await client.askJson(
      {
        method: 'PATCH',
        url: address(scene, `/applications/${call.application}`),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(settings),
      },
      signal,
    )
  }
  const deployment = await begin(scene, signal)
  progress(`deployment ${deployment} of ${call.application} has begun`)
  try {
    await follow(scene, deployment, () => ask(scene, deployment, signal), {
      progress,
      signal,
      ...(stop === undefined ? {} : { stop }),
    })
  } catch (error) {
    if (error instanceof KnownError && error.code !== 'WEBHOOK_DEPLOYMENT_FAILED') await cancel(scene, deployment)
    throw error
  }
}

/** Older servers know the call as GET only: they answer the POST with 404 or 405. */
async function begin(scene: CoolifyScene, signal: AbortSignal): Promise<string> {
  const { call, client } = scene
  const url = address(scene, `/deploy?uuid=${call.application}&force=${call.force}`)
  const post = { method: 'POST', url }
  const first = await client.ask(post, signal)
  const isOld = first.status === 404 || first.status === 405
  if (!isOld && (first.status < 200 || first.status > 299)) throw client.refusal(post, first)
  const answer = isOld ? await client.askJson({ method: 'GET', url }, signal) : parse(first.text)
  const list = isJsonObject(answer) ? answer['deployments'] : undefined
  const [begun] = Array.isArray(list) ? (list as readonly Json[]) : []
  const id = isJsonObject(begun) ? textOf(begun['deployment_uuid']) : undefined
  if (id !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(id)) return id
  const message = isJsonObject(begun) ? textOf(begun['message']) : undefined
  throw webhookAnswerInvalid({
    target: scene.target.name,
    call: `${isOld ? 'GET' : 'POST'} ${url}`,
    problem: `it names no deployment${message === undefined ? '' : ` but says "${client.redact(message).slice(0, 200)}"`}`,
  })
}

async function ask(scene: CoolifyScene, deployment: string, signal: AbortSignal): Promise<Step> {
  const request = { method: 'GET', url: address(scene, `/deployments/${deployment}`) }
  const answer = await scene.client.askJson(request, signal)
  const status = isJsonObject(answer) ? textOf(answer['status']) : undefined
  if (status === undefined || !isJsonObject(answer))
    throw webhookAnswerInvalid({
      target: scene.target.name,
      call: `GET ${request.url}`,
      problem: 'it has no text at "status"',
    })
  if (status === 'finished') return { status, end: 'success' }
  if (status !== 'failed' && !status.startsWith('cancelled')) return { status }
  const details = logLines(answer['logs']).map((line) => scene.client.redact(line))
  return { status, end: webhookDeploymentFailed({ target: scene.target.name, deployment, status, details }) }
}

/** Nobody waits for it any more: it must not come to an end behind the back of what follows. Best effort. */
async function cancel(scene: CoolifyScene, deployment: string): Promise<void> {
  const request = { method: 'POST', url: address(scene, `/deployments/${deployment}/cancel`) }
  await scene.client.ask(request, AbortSignal.timeout(10_000)).catch(() => undefined)
}

function address({ target }: CoolifyScene, path: string): string {
  return `${target.url}${path}`
}

function settingsOf({ call, environment }: CoolifyScene, release: Release): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(call.set).map(([field, text]) => [field, fillTemplate(text, { release, environment })]),
  )
}

function describe(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([field, value]) => `${fieldWords[field as CoolifyField]} ${value}`)
    .join(', ')
}

/** The end of a log: Coolify keeps it as the JSON text of a list of lines, some of them hidden; others as plain text. */
function logLines(logs: Json | undefined): readonly string[] {
  if (typeof logs !== 'string') return []
  const list = parse(logs)
  const lines = Array.isArray(list)
    ? (list as readonly Json[]).flatMap((line) =>
        isJsonObject(line) && line['hidden'] !== true ? (textOf(line['output']) ?? '').split('\n') : [],
      )
    : logs.split('\n')
  return lines
    .map((line) => line.trim().slice(0, 500))
    .filter((line) => line !== '')
    .slice(-logLinesMax)
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function textOf(value: JsonObject[string] | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
