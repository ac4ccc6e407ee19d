import type { Assignment } from './assignment.ts'

/** Who carries out a Dockerfile: BuildKit, or the builder that engines had before. */
export type Builder = 'buildkit' | 'classic'

/** Everything that one build is, with the paths of this machine. */
export interface BuildPlan {
  readonly context: string
  readonly file: string
  /** Stage of the Dockerfile; empty for its last one. */
  readonly target: string
  readonly arguments: readonly Assignment[]
  /** Names of secrets, and the files that hold them. */
  readonly secrets: readonly { readonly id: string; readonly file: string }[]
  readonly labels: Readonly<Record<string, string>>
  readonly tags: readonly string[]
  readonly network: string
  /** Images whose layers may be used; undefined: whatever the engine has. */
  readonly cacheFrom: readonly string[] | undefined
  readonly isCacheKept: boolean
  readonly usesCache: boolean
  readonly pulls: boolean
  /** Where docker writes the id of the image. */
  readonly idFile: string
}

/** What the docker program reads of its environment: a build argument of that name must not change who it talks to. */
const ownNames = /^(?:PATH|HOME|TMPDIR|LD_\w+|GO\w+|SSH_\w+|XDG_\w+|(?:DOCKER|BUILDKIT|BUILDX|OTEL|MOBY)_\w+)$/i

/** The call of docker, and the variables that it takes values of build arguments from: these stand in no argument list. */
export function buildCall(
  plan: BuildPlan,
  builder: Builder,
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  const env: Record<string, string> = { DOCKER_BUILDKIT: builder === 'buildkit' ? '1' : '0' }
  const args = ['build', '--iidfile', plan.idFile, '--file', plan.file]
  if (builder === 'buildkit') args.push('--progress', 'plain')
  if (plan.target !== '') args.push('--target', plan.target)
  if (plan.network !== '') args.push('--network', plan.network)
  if (plan.pulls) args.push('--pull')
  if (!plan.usesCache) args.push('--no-cache')
  for (const { name, value } of plan.arguments) {
    if (ownNames.test(name)) args.push('--build-arg', `${name}=${value}`)
    else {
      args.push('--build-arg', name)
      env[name] = value
    }
  }
  if (builder === 'buildkit' && plan.isCacheKept) args.push('--build-arg', 'BUILDKIT_INLINE_CACHE=1')
  for (const { id, file } of plan.secrets) args.push('--secret', `id=${id},src=${file}`)
  for (const [name, value] of Object.entries(plan.labels)) args.push('--label', `${name}=${value}`)
  for (const image of plan.cacheFrom ?? []) args.push('--cache-from', image)
  for (const tag of plan.tags) args.push('--tag', tag)
  return { args: [...args, plan.context], env }
}

/** What an image says of itself: https://specs.opencontainers.org/image-spec/annotations. */
export function imageLabels(facts: {
  readonly sha: string
  readonly source: string
  readonly version: string
  /** Time of the commit, so that two builds of one commit say the same. */
  readonly created: string
}): Readonly<Record<string, string>> {
  const all = {
    'org.opencontainers.image.created': facts.created,
    'org.opencontainers.image.revision': facts.sha,
    'org.opencontainers.image.source': facts.source,
    'org.opencontainers.image.version': facts.version,
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
}

/** `linux/amd64` of what people write: `amd64`, `x86_64`, `linux/arm64/v8`. */
export function platformOf(text: string): string {
  const names: Readonly<Record<string, string>> = { x86_64: 'amd64', x64: 'amd64', aarch64: 'arm64' }
  const parts = text.trim().toLowerCase().split('/')
  const [system = '', machine = '', ...variant] = parts.length === 1 ? ['linux', ...parts] : parts
  const architecture = names[machine] ?? machine
  const isPlain = architecture === 'arm64' && variant[0] === 'v8'
  return [system, architecture, ...(isPlain ? [] : variant)].join('/')
}
