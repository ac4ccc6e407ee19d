import { handChanges } from '#core/deployment/plan.ts'
import type { RunningTarget } from '#core/deployment/plan.ts'
import type { EnvironmentConfig, TargetConfig } from '#core/project/model.ts'
import type { Release } from '#core/release/model.ts'
import type { DeployDriver, TargetState } from '#ports/deploy-driver.ts'

/**
 * What a plan says of each target: the release that it says to run, and with `believed` also what somebody has changed in its files, where it runs this
 * release and the driver can tell. Throws the driver's known error when a target cannot compare.
 */
export function runningTargets(
  driver: Pick<DeployDriver<TargetConfig>, 'compareFiles'>,
  asked: {
    readonly application: string
    readonly config: EnvironmentConfig
    /** In the order of the targets. */
    readonly states: readonly TargetState[]
    /** Absent: files are not looked at. */
    readonly believed?: Release | undefined
  },
  signal: AbortSignal,
): Promise<readonly RunningTarget[]> {
  const { application, config, states, believed } = asked
  return Promise.all(
    config.targets.map(async (target, index): Promise<RunningTarget> => {
      const state = states[index]
      const current = state?.kind === 'known' ? state.current : undefined
      if (current === undefined) return {}
      if (believed?.id !== current || driver.compareFiles === undefined) return { release: current }
      const order = { target, application, environment: config.name, release: believed }
      const byHand = handChanges(await driver.compareFiles(order, signal))
      return { release: current, ...(byHand === undefined ? {} : { byHand }) }
    }),
  )
}
