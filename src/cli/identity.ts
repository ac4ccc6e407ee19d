import { userInfo } from 'node:os'
import type { CliWorld } from './world.ts'

/** Who asks: `$SHIPWAY_ACTOR`, else the user of this machine. Recorded with every request and decision. */
export function whoAmI(world: Pick<CliWorld, 'env'>): string {
  const { env } = world
  for (const name of ['SHIPWAY_ACTOR', 'USER', 'LOGNAME']) {
    const value = env[name]
    if (value !== undefined && value !== '') return value
  }
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}
