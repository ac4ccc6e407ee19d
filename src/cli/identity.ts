import { hostname, userInfo } from 'node:os'
import type { TicketOrigin } from '#core/ticket/model.ts'
import type { CliWorld } from './world.ts'

/** Where a request comes from, whatever `SHIPWAY_ACTOR` says. */
export function originOf(): TicketOrigin {
  return { kind: 'machine', login: systemUser(), host: hostname() }
}

/** Who asks: `$SHIPWAY_ACTOR`, else the user of this machine. Recorded with every request and decision. */
export function whoAmI(world: Pick<CliWorld, 'env'>): string {
  const { env } = world
  for (const name of ['SHIPWAY_ACTOR', 'USER', 'LOGNAME']) {
    const value = env[name]
    if (value !== undefined && value !== '') return value
  }
  return systemUser()
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return 'unknown'
  }
}
