import { parse } from 'yaml'
import { isJsonObject } from '../json.ts'
import type { Json, JsonObject } from '../json.ts'

/** A service of a composed project, as far as deploying it needs to know. */
export interface ComposedService {
  readonly name: string
  /** Absent: it would have to be built. */
  readonly image?: string
  readonly ports: readonly PublishedPort[]
  readonly containerName?: string
  /** Absent for a network of the project, where ports can be published. */
  readonly networkMode?: string
  /** False: only the image can have a health check. */
  readonly hasHealthCheck: boolean
}

/** A port of a container that the host opens. */
export interface PublishedPort {
  /** Address that the host listens at; absent: all of them. */
  readonly address?: string
  /** Port or range on the host; absent: any free one. */
  readonly published?: string
  readonly target: string
}

export interface Composed {
  /** The format's version, where the file names one: files that extend it must name the same. */
  readonly version?: string
  readonly services: readonly ComposedService[]
}

/**
 * What `docker compose config` or `docker-compose config` prints, or a compose file itself: both write ports short and long, images
 * always in one way. A string says what cannot be understood.
 */
export function readComposed(text: string): Composed | string {
  let value: Json
  try {
    value = parse(text, { logLevel: 'error', maxAliasCount: 100 }) as Json
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'it is not YAML'
  }
  if (!isJsonObject(value)) return 'it is not a mapping'
  const { services, version } = value
  if (!isJsonObject(services)) return 'it has no services'
  return {
    ...(typeof version === 'string' ? { version } : {}),
    services: Object.entries(services)
      .filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1]))
      .map(([name, service]) => ({
        name,
        ...(typeof service['image'] === 'string' && service['image'] !== '' ? { image: service['image'] } : {}),
        ports: Array.isArray(service['ports']) ? service['ports'].map(readPort) : [],
        ...(typeof service['container_name'] === 'string' ? { containerName: service['container_name'] } : {}),
        ...readNetworkMode(service['network_mode']),
        hasHealthCheck: isJsonObject(service['healthcheck']) && service['healthcheck']['test'] !== undefined,
      })),
  }
}

function readNetworkMode(written: Json | undefined): { networkMode?: string } {
  return typeof written !== 'string' || written === 'bridge' ? {} : { networkMode: written }
}

function readPort(written: Json): PublishedPort {
  if (isJsonObject(written)) {
    const { target, published, host_ip: address } = written
    return {
      target: textOf(target),
      ...(published === undefined || published === '' ? {} : { published: textOf(published) }),
      ...(address === undefined || address === '' ? {} : { address: textOf(address) }),
    }
  }
  // [[address:]published:]target[/protocol], where an address of version 6 stands in brackets or has colons itself.
  const [, left = '', target = ''] = /^(?:(.*):)?([^:]*)$/.exec(textOf(written).replace(/\/\w+$/, '')) ?? []
  const [, address = '', published = ''] = /^(?:(.*):)?([^:]*)$/.exec(left) ?? []
  return {
    target,
    ...(published === '' ? {} : { published }),
    ...(address === '' ? {} : { address: address.replaceAll(/^\[|\]$/g, '') }),
  }
}

/** Ports that hosts open to others, of services that may not: `backend 8000`, sorted. */
export function openPorts(composed: Composed, allowed: readonly string[]): readonly string[] {
  return composed.services
    .filter(({ name }) => !allowed.includes(name))
    .flatMap(({ name, ports }) => ports.filter((port) => !isLoopback(port)).map((port) => `${name} ${shownPort(port)}`))
    .toSorted()
}

function isLoopback({ address = '' }: PublishedPort): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(address) || address === '::1' || address === 'localhost'
}

function shownPort({ address, published, target }: PublishedPort): string {
  return `${address === undefined ? '' : `${address}:`}${published ?? '(any)'}:${target}`
}

/** True for `name@sha256:…`: the same content everywhere and for ever. */
export function isPinned(image: string): boolean {
  return /@sha256:[0-9a-f]{64}$/.test(image)
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
