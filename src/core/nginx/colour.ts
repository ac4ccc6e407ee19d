import { composeProject } from '../compose/model.ts'
import type { NginxSwitch } from './switch.ts'
import { nginxSwitchDefaults } from './switch.ts'

/**
 * Two places for the processes of a release, of which nginx serves one while the next release starts at the other: the group `blueGreen` of an
 * environment of the driver `directory`, with its defaults.
 */
export interface ColourConfig extends NginxSwitch {
  /** On loopback, of blue and of green. */
  readonly ports: readonly [blue: number, green: number]
  /** Shell commands that start and stop one colour: `SHIPWAY_COLOUR` and `SHIPWAY_PORT` say which. */
  readonly start: string
  readonly stop: string
  /** Path that a colour answers with success when it is well, asked at its port before the switch. */
  readonly health: string
  /** How long a colour may take until then. */
  readonly healthWithinMs: number
  /** Of the group of servers that `proxy_pass` names; absent: made of application and environment. */
  readonly name?: string
}

export const colourNames = ['blue', 'green'] as const

export const colourDefaults = { ...nginxSwitchDefaults, health: '/', healthWithinMs: 60_000 } as const

/** Name of the group of servers that `proxy_pass` of the host's nginx names. */
export function colourGroup(
  { name }: Pick<ColourConfig, 'name'>,
  place: { readonly application: string; readonly environment: string; readonly target: { readonly name: string } },
): string {
  return composeProject(name === undefined ? {} : { project: name }, place)
}

/** `green at port 3002`, of what a target says to serve; the words themselves where they are no colour. */
export function colourAt({ ports }: Pick<ColourConfig, 'ports'>, colour: string): string {
  const index = colourNames.findIndex((name) => name === colour)
  return index === -1 ? colour : `${colour} at port ${ports[index]}`
}

/** The colour that a deployment takes. */
export function nextColour(served: string | undefined): (typeof colourNames)[number] {
  return served === 'blue' ? 'green' : 'blue'
}
