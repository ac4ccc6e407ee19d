import { containerVariableInvalid } from '#core/known/container.ts'
import type { Mount } from './path-map.ts'

/** Variables for a process in a container, and how they get there without standing in an argument list. */
export interface PassedVariables {
  readonly args: readonly string[]
  /** Environment of the docker program: `--env NAME` takes the value from there. */
  readonly env: Readonly<Record<string, string>>
  /**
   * Lines of an `--env-file`, for variables that the docker program would take for its own, DOCKER_HOST for example. The caller adds the file and its argument when there are any.
   */
  readonly fileLines: readonly string[]
}

/** What the docker program, its plugins and its runtime read of their environment. */
const ownNames =
  /^(?:TMPDIR|(?:HTTPS?|NO|ALL)_PROXY|LD_\w+|GO(?:DEBUG|GC|MAXPROCS|MEMLIMIT|TRACEBACK)|SSH_AUTH_SOCK|XDG_\w+|(?:DOCKER|BUILDKIT|BUILDX|OTEL|MOBY)_\w+)$/i
/** The docker program needs them as well, and they are no secrets. */
const openNames: ReadonlySet<string> = new Set(['PATH', 'HOME'])

/** Plans how variables reach a container. Values, which may be secrets, never stand in an argument list (12, 36). */
export function passVariables(variables: Readonly<Record<string, string>>): PassedVariables {
  const args: string[] = []
  const env: Record<string, string> = {}
  const fileLines: string[] = []
  for (const [name, value] of Object.entries(variables)) {
    if (name === '' || name.includes('=') || name.includes('\0')) continue
    if (openNames.has(name)) args.push('--env', `${name}=${value}`)
    else if (!ownNames.test(name)) {
      args.push('--env', name)
      env[name] = value
    } else if (/[\r\n]/.test(value)) throw containerVariableInvalid({ name })
    else fileLines.push(`${name}=${value}`)
  }
  return { args, env, fileLines }
}

/** `--mount` keeps paths with colons apart, which `--volume` cannot. */
export function mountArguments(mounts: readonly Mount[]): readonly string[] {
  return mounts.flatMap(({ outside, inside, readOnly }) => [
    '--mount',
    [
      `type=bind`,
      quoted(`source=${outside}`),
      quoted(`target=${inside}`),
      ...(readOnly === true ? ['readonly'] : []),
    ].join(','),
  ])
}

/** The value is a line of CSV. */
function quoted(field: string): string {
  return /[",\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field
}

/** The registry of an image name, as `docker login` takes it; undefined for Docker's own. */
export function registryOf(image: string): string | undefined {
  const first = image.includes('/') ? image.split('/')[0] : undefined
  return first !== undefined && (first.includes('.') || first.includes(':') || first === 'localhost')
    ? first
    : undefined
}
