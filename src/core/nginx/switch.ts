/** How a driver has the nginx of a host switched from what is served to what came beside it: a part of `blueGreen`, for every driver that can. */
export interface NginxSwitch {
  /** Absolute path of a file that the host's nginx includes at the level `http`; Shipway writes the addresses to it. */
  readonly upstream: string
  /** How nginx is called on the hosts, as an argument list. */
  readonly nginx: readonly string[]
  /** How long requests that were under way at the switch may take, before what answers them is stopped. */
  readonly drainWithinMs: number
  /** What was left runs on, so that a rollback is only a switch. */
  readonly standby: boolean
}

export const nginxSwitchDefaults = {
  nginx: ['nginx'],
  drainWithinMs: 30_000,
  standby: false,
} as const satisfies Partial<NginxSwitch>
