/**
 * How the platform behind a webhook is told to deploy: everything that `webhook:` of an environment says, defaults filled in. Texts may hold
 * `${{ … }}`, see `template.ts`.
 */
export type WebhookCall = CoolifyCall | GenericCall

interface CommonCall {
  /** Name of the secret that is sent as `Authorization: Bearer`. */
  readonly token?: string
  /** How long a deployment of the platform may take. */
  readonly withinMs: number
  /** Time between two questions how far it is. */
  readonly everyMs: number
}

/** Coolify's API, version 4: the application is set to the release where it is said how, deployed, and followed to its end. */
export interface CoolifyCall extends CommonCall {
  readonly kind: 'coolify'
  /** Uuid of the application. */
  readonly application: string
  /** What the application is set to before it is deployed, by Coolify's own names of its fields. */
  readonly set: Readonly<Partial<Record<CoolifyField, string>>>
  /** Without Coolify's build cache. */
  readonly force: boolean
}

export type CoolifyField = 'docker_registry_image_tag' | 'git_branch' | 'git_commit_sha'

/** Any other platform: one request, and a status address to ask where it has one. */
export interface GenericCall extends CommonCall {
  readonly kind: 'generic'
  readonly method: WebhookMethod
  readonly headers: readonly { readonly name: string; readonly value: string }[]
  readonly body?: string
  /** Absent: an answer of the 200s counts as done. */
  readonly status?: {
    readonly url: string
    /** JSON pointer (RFC 6901) to the word that tells how far it is. */
    readonly pointer: string
    readonly success: readonly string[]
    readonly failure: readonly string[]
  }
  /** How the platform is told to cancel what nobody follows any more. Only with `status`. */
  readonly cancel?: { readonly method: CancelMethod; readonly url: string }
  /** Where the platform tells the version that runs. */
  readonly current?: { readonly url: string; readonly pointer: string }
}

export type WebhookMethod = 'GET' | 'POST' | 'PUT' | 'PATCH'
export const webhookMethods = ['GET', 'POST', 'PUT', 'PATCH'] as const satisfies readonly WebhookMethod[]

export type CancelMethod = Exclude<WebhookMethod, 'GET'> | 'DELETE'
export const cancelMethods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly CancelMethod[]

/** An application of a platform that deploys by itself when it is asked to. */
export interface WebhookTarget {
  readonly kind: 'webhook'
  readonly name: string
  /** Coolify: base of the API, `https://host/api/v1`; generic: the address that is called. */
  readonly url: string
  readonly call: WebhookCall
}

/** Names of the secrets that a call needs. */
export function secretsOfCall(call: WebhookCall): readonly string[] {
  const texts = call.kind === 'generic' ? [...call.headers.map(({ value }) => value), call.body ?? ''] : []
  const named = texts.flatMap((text) =>
    [...text.matchAll(/\$\{\{\s*secrets\.(\w+)\s*\}\}/g)].map(([, name = '']) => name),
  )
  return [...new Set([...(call.token === undefined ? [] : [call.token]), ...named])]
}
