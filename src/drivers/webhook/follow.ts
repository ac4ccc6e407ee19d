import { KnownError } from '#core/errors.ts'
import { switchStopped } from '#core/known/target.ts'
import { webhookDeploymentSlow } from '#core/known/webhook.ts'
import type { Progress } from '#ports/deploy-driver.ts'
import type { PlatformScene } from './platform.ts'

/** Questions in a row that may go wrong while a deployment is followed: a proxy that restarts is no failed deployment. */
const stumblesMax = 5

/** How far a deployment of the platform is. `undefined`: it is still going on. */
export interface Step {
  readonly status: string
  readonly end?: 'success' | KnownError
}

/**
 * Asks how far a deployment of the platform is until it has ended. Answers that say nothing (an error of the 500s, no JSON, a broken
 * connection) are borne for a while. WEBHOOK_DEPLOYMENT_SLOW after `withinMs`, SWITCH_STOPPED soon after `stop`.
 */
export async function follow(
  scene: PlatformScene,
  deployment: string,
  ask: () => Promise<Step>,
  {
    progress,
    signal,
    stop,
    afterStop = `its deployment ${deployment} is cancelled`,
  }: {
    readonly progress: Progress
    readonly signal: AbortSignal
    readonly stop?: AbortSignal
    /** What becomes of it when nobody follows it any more. */
    readonly afterStop?: string
  },
): Promise<void> {
  const { clock } = scene.client
  const { withinMs, everyMs } = scene.target.call
  const start = clock.monotonic()
  let told = ''
  for (let stumbles = 0; ;) {
    try {
      const { status, end } = await ask()
      stumbles = 0
      if (status !== told) progress(`the platform says ${status}`)
      told = status
      if (end === 'success') return
      if (end !== undefined) throw end
    } catch (error) {
      if (!(error instanceof KnownError) || error.retry === 'never') throw error
      stumbles += 1
      if (stumbles > stumblesMax) throw error
      progress(`no word on ${deployment}, asking again: ${error.message}`)
    }
    if (clock.monotonic() - start + everyMs > withinMs)
      throw webhookDeploymentSlow({ target: scene.target.name, deployment, status: told || 'unknown', withinMs })
    await clock
      .sleep(everyMs, stop === undefined ? signal : AbortSignal.any([signal, stop]))
      .catch((error: unknown) => {
        if (signal.aborted || stop?.aborted !== true) throw error
      })
    if (stop?.aborted === true) throw switchStopped({ target: scene.target.name, back: afterStop })
  }
}
