/** An image name taken apart, with the registry that the Docker engine would ask for it. */
export interface ImageReference {
  /** As written, without tag: `ghcr.io/acme/backend`. */
  readonly name: string
  /** As `docker login` takes it and the configuration of Docker keeps it: `ghcr.io`; undefined for Docker's own registry. */
  readonly registry: string | undefined
  /** Path within the registry: `acme/backend`. */
  readonly path: string
  readonly tag: string | undefined
}

/** What the grammar of Docker allows: https://github.com/distribution/reference. */
const pathPattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const hostPattern = /^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/
const tagPattern = /^\w[\w.-]{0,127}$/
const tagLengthMax = 128

/**
 * Reads `registry/path[:tag]`. Capital letters of the path become small, as the owner of a repository is often written
 * with some and no registry takes them. A string says what is wrong.
 */
export function readReference(text: string): ImageReference | string {
  if (text.includes('@')) return 'it names a digest; an image that is built has a name and tags'
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const hasRegistry = /[.:]/.test(first) || first === 'localhost' || first.startsWith('[')
  const rest = hasRegistry ? text.slice(slash + 1) : text
  const colon = rest.indexOf(':')
  const tag = colon < 0 ? undefined : rest.slice(colon + 1)
  const written = (colon < 0 ? rest : rest.slice(0, colon)).toLowerCase()
  if (hasRegistry && !hostPattern.test(first)) return `"${first}" is no address of a registry`
  if (!pathPattern.test(written) || written.length > 255) return `"${written}" is no name of an image`
  if (tag !== undefined && !tagPattern.test(tag)) return `"${tag}" is no tag`
  const registry = hasRegistry && first !== 'docker.io' ? first : undefined
  const path = registry === undefined && !written.includes('/') ? `library/${written}` : written
  return { name: hasRegistry ? `${first}/${written}` : written, registry, path, tag }
}

/** `name:tag`, as docker takes it. */
export function taggedName({ name }: Pick<ImageReference, 'name'>, tag: string): string {
  return `${name}:${tag}`
}

/** A tag of a text that may hold anything, the name of a branch above all; undefined when nothing of it is left. */
export function tagOf(text: string): string | undefined {
  const tag = text
    .replaceAll(/[^\w.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, tagLengthMax)
  return tagPattern.test(tag) ? tag : undefined
}

/** The registry that a login is for, as `docker login` takes it; undefined for Docker's own. */
export function registryOfLogin(text: string): string | undefined {
  const registry = text
    .trim()
    .replace(/^https?:\/\//, '')
    .replace(/\/.*$/s, '')
  return registry === '' || registry === 'docker.io' || registry === 'index.docker.io' ? undefined : registry
}

/** Amazon's registries, whose passwords come from another service. */
export function isEcr(registry: string): boolean {
  return /^(?:\d{12}\.dkr[.-]ecr(?:-fips)?\.[\w.-]+|public\.ecr\.aws)$/.test(registry)
}

/** Where passwords may travel without TLS: nobody else hears it. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '')
  return host === 'localhost' || /^127(?:\.\d{1,3}){3}$/.test(host) || host === '[::1]'
}

/** Where the HTTP API of a registry is: with TLS, but for loopback, as the Docker engine does it. */
export function registryOrigin(registry: string | undefined): string {
  if (registry === undefined) return 'https://registry-1.docker.io'
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry}`
}
