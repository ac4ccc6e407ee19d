import type { WebhookTarget } from '#core/webhook/model.ts'
import type { Release } from '#core/release/model.ts'
import type { Progress } from '#ports/deploy-driver.ts'
import type { WebhookClient } from './client.ts'

/** One target with all that a call to it needs. */
export interface PlatformScene {
  readonly target: WebhookTarget
  readonly environment: string
  readonly client: WebhookClient
  readonly secrets: Readonly<Record<string, string>>
}

/** What a platform tells of an application. */
export interface Sight {
  /** Whether it is set to a release, as far as that can be seen. */
  readonly isSetTo: (release: Release) => boolean
  /** What it is set to, for people, where that can be seen. */
  readonly version?: string
  /** Its own word on its health. */
  readonly says?: { readonly text: string; readonly isIll: boolean }
}

/** What goes with a deployment. `stop`: nobody waits for it any more; what can be cancelled is, the rest runs to its end. */
export interface PlatformWork {
  readonly progress: Progress
  readonly signal: AbortSignal
  readonly stop?: AbortSignal
}

/** How one kind of platform is asked and told. */
export interface Platform {
  /** Undefined: it tells nothing. */
  look(scene: PlatformScene, signal: AbortSignal): Promise<Sight | undefined>
  /** Deploys a release and waits for the end. Safe to do twice. */
  deploy(scene: PlatformScene, release: Release, work: PlatformWork): Promise<void>
}
