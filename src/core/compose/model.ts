import type { BlueGreenConfig } from './blue-green.ts'

/** What the driver `compose` needs to know beyond the release: the group `compose` of an environment, with its defaults. */
export interface ComposeConfig {
  /** Compose files of the release, as paths in it; later ones extend earlier ones. Empty: the usual name. */
  readonly files: readonly string[]
  /** Name of the compose project on the hosts; absent: made of application and environment. */
  readonly project?: string
  readonly profiles: readonly string[]
  /** How long all services together may take to become healthy after they were started. */
  readonly healthWithinMs: number
  /** How long the images may take to arrive. */
  readonly pullWithinMs: number
  /** Services that may publish ports beyond loopback; absent: any. */
  readonly expose?: readonly string[]
  /** Where to log in before images are pulled; `password` is the name of one of the environment's secrets. */
  readonly registry?: { readonly server: string; readonly username: string; readonly password: string }
  /** Socket of the engine on the hosts, as `DOCKER_HOST`; absent: what docker finds there. */
  readonly engine?: string
  /** How services are switched behind the nginx of the host; absent: everything is replaced where it stands. */
  readonly blueGreen?: BlueGreenConfig
}

export const composeDefaults = { healthWithinMs: 120_000, pullWithinMs: 600_000 } as const

/** Names that compose itself looks for, in its order. */
const usualNames = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']

/** The compose files of a release that has these files; undefined when there is none of a usual name. */
export function composeFiles(config: ComposeConfig, paths: ReadonlySet<string>): readonly string[] | undefined {
  if (config.files.length > 0) return config.files
  const found = usualNames.find((name) => paths.has(name))
  return found === undefined ? undefined : [found]
}

/** Containers, networks and volumes carry this name: it must stay the same from release to release. */
export function composeProject(
  config: Pick<ComposeConfig, 'project'>,
  place: { readonly application: string; readonly environment: string; readonly target: { readonly name: string } },
): string {
  if (config.project !== undefined) return ofTarget(config.project, place.target)
  return nameOf(`${place.application}-${place.environment}`)
}

/** A text of the group `compose` as it is for one of the targets. */
export function ofTarget(text: string, target: { readonly name: string }): string {
  return text.replaceAll(targetName, nameOf(target.name))
}

/** For targets that share an engine or a host. */
const targetName = '${{ target.name }}'

function nameOf(text: string): string {
  const name = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  return name.replaceAll(/^-|-$/g, '')
}

/** True for a name that is also a part of an image's name. */
export function isComposeProject(project: string): boolean {
  return /^[a-z0-9]+(?:[_-][a-z0-9]+)*$/.test(project.replaceAll(targetName, 'x'))
}
