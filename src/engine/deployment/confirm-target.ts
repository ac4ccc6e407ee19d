import { KnownError } from '#core/errors.ts'
import type { TargetConfig } from '#core/project/model.ts'
import type { Clock } from '#ports/clock.ts'
import type { DeployDriver, Progress, TargetOrder, TargetProof } from '#ports/deploy-driver.ts'

/** A confirmation that does not get through is tried again; the target waits for it up to `confirmWithin`. */
const confirmTriesMax = 4
const confirmPauseMs = 250

/**
 * A lost answer is no lost confirmation: when trying again does not help, the target is asked what it heard. What it has confirmed stays, even
 * where it could not clear up after that.
 */
export async function confirmTarget(
  { driver, clock }: { readonly driver: DeployDriver<TargetConfig>; readonly clock: Clock },
  order: TargetOrder<TargetConfig>,
  progress: Progress,
  signal: AbortSignal,
): Promise<TargetProof> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await driver.confirm(order, progress, signal)
    } catch (error) {
      signal.throwIfAborted()
      const mayHelp = error instanceof KnownError && error.retry !== 'never' && tries < confirmTriesMax
      const said = error instanceof Error ? error.message : String(error)
      if (mayHelp) progress(`the confirmation did not get through, trying again: ${said}`)
      else if (await isConfirmed(driver, order, signal)) {
        progress(`it has confirmed; what it could not clear up goes with the next deployment: ${said}`)
        return {}
      } else throw error
    }
    await clock.sleep(confirmPauseMs * 2 ** tries, signal)
  }
}

async function isConfirmed(
  driver: DeployDriver<TargetConfig>,
  order: TargetOrder<TargetConfig>,
  signal: AbortSignal,
): Promise<boolean> {
  const state = await driver.inspect(order, signal)
  return state.kind === 'known' && state.current === order.release.id && state.pending === undefined
}
