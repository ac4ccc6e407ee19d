import { isJsonObject } from '#core/json.ts'
import type { Json, JsonObject } from '#core/json.ts'
import type { Stop } from '../job-control.ts'
import type { Docker } from './docker.ts'

/** What the engine says of a container. */
export interface ContainerFacts {
  readonly isRunning: boolean
  readonly exitCode: number
  /** `none` without a health check. */
  readonly health: string
  /** What the last health check printed. */
  readonly healthOutput: string
  /** Port in the container → port of this machine. */
  readonly ports: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
}

/** Undefined when there is no such container any more. */
export async function inspectContainer(docker: Docker, id: string, stop: Stop): Promise<ContainerFacts | undefined> {
  const answer = await docker.ask(['inspect', '--format', '{{json .}}', id], { stop })
  if (answer.exitCode !== 0) return undefined
  const facts = JSON.parse(answer.stdout) as Json
  const state = at(facts, 'State')
  const health = at(state, 'Health')
  const log = at(health, 'Log')
  return {
    isRunning: at(state, 'Running') === true,
    exitCode: Number(at(state, 'ExitCode') ?? 0),
    health: health === undefined ? 'none' : String(at(health, 'Status') ?? 'none'),
    healthOutput: String(at(Array.isArray(log) ? (log as readonly Json[]).at(-1) : undefined, 'Output') ?? '').trim(),
    ports: portsOf(at(at(facts, 'NetworkSettings'), 'Ports')),
    env: variablesOf(at(at(facts, 'Config'), 'Env')),
  }
}

function at(value: Json | undefined, key: string): Json | undefined {
  const object: JsonObject | undefined = value !== undefined && isJsonObject(value) ? value : undefined
  return object?.[key] ?? undefined
}

/** `"5432/tcp": [{ HostIp, HostPort }]` → `5432: 32768`. */
function portsOf(value: Json | undefined): Record<string, string> {
  const ports: Record<string, string> = {}
  for (const [name, bindings] of Object.entries(value !== undefined && isJsonObject(value) ? value : {})) {
    const port = at(Array.isArray(bindings) ? (bindings as readonly Json[])[0] : undefined, 'HostPort')
    if (typeof port === 'string' && port !== '') ports[name.replace(/\/.*$/, '')] = port
  }
  return ports
}

function variablesOf(value: Json | undefined): Record<string, string> {
  const lines = Array.isArray(value) ? (value as readonly Json[]).map(String) : []
  return Object.fromEntries(lines.map((line) => [line.replace(/=.*$/s, ''), line.slice(line.indexOf('=') + 1)]))
}
