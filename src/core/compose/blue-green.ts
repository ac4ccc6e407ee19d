import { nginxSwitchDefaults } from '../nginx/switch.ts'
import type { NginxSwitch } from '../nginx/switch.ts'
import type { Composed, ComposedService } from './composed.ts'

/**
 * Two sets of containers of a service live side by side while nginx on the host is switched from one to the other: the group
 * `compose.blueGreen` of an environment, with its defaults.
 */
export interface BlueGreenConfig extends NginxSwitch {
  readonly services: readonly BlueGreenService[]
  /** How many containers each service has in a set. */
  readonly replicas: number
  /** Ports on loopback, from and to, among which each container gets one that stays its own. */
  readonly ports: readonly [from: number, to: number]
}

export interface BlueGreenService {
  readonly name: string
  /** That it listens at in its container. */
  readonly port: number
}

export const blueGreenDefaults = {
  ...nginxSwitchDefaults,
  replicas: 1,
  ports: [20_000, 20_999],
} as const satisfies Partial<BlueGreenConfig>

/** Name of the group of servers that `proxy_pass` of the host's nginx names. */
export function upstreamName(project: string, service: string): string {
  return `${project}-${service}`
}

/** `web:3000`, with a name that means the same to compose, nginx and a shell. */
export function parseBlueGreenService(text: string): BlueGreenService | undefined {
  const [, name, port = ''] = /^([A-Za-z0-9][A-Za-z0-9_.-]{0,62}):([1-9]\d{0,4})$/.exec(text) ?? []
  return name === undefined || Number(port) > 65_535 ? undefined : { name, port: Number(port) }
}

/** `20000-20999` */
export function parsePortRange(text: string): readonly [from: number, to: number] | undefined {
  const [, from = 0, to = 0] = (/^(\d{4,5})-(\d{4,5})$/.exec(text) ?? []).map(Number)
  return from >= 1024 && to <= 65_535 && from < to ? [from, to] : undefined
}

/** Why the services of a project cannot be there twice, one sentence each; empty when they can. */
export function blueGreenObstacles(config: BlueGreenConfig, composed: Composed): readonly string[] {
  return config.services.flatMap(({ name }) => {
    const service = composed.services.find((one) => one.name === name)
    return service === undefined ? [`${name} is not one of the services`] : obstaclesOf(service)
  })
}

/** A set needs more than one container per service, and so a name, a port and a network that are not taken. */
function obstaclesOf({ name, ports, containerName, networkMode }: ComposedService): readonly string[] {
  return [
    ...(containerName === undefined
      ? []
      : [`${name} has the container_name ${containerName}, which only one can have`]),
    ...ports
      .filter(({ published }) => published !== undefined && published !== '0')
      .map(({ published }) => `${name} publishes the port ${published ?? ''}, which only one can have`),
    ...(networkMode === undefined
      ? []
      : [`${name} has the network_mode ${networkMode}, so no port of it can be published`]),
  ]
}
