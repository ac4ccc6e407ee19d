import { KnownError } from '../errors.ts'

interface TargetFact {
  readonly target: string
}

/** Neither `docker compose` nor `docker-compose` is on the host. */
export function composeMissing(fact: TargetFact): KnownError {
  return new KnownError({
    code: 'COMPOSE_MISSING',
    kind: 'usage',
    message: `The target ${fact.target} has neither \`docker compose\` nor \`docker-compose\`.`,
    hint: 'Install one of them on the host, for example `apt-get install docker-compose`, then deploy again.',
  })
}

/** No Docker engine answers the deploying account. */
export function dockerSilent(fact: TargetFact & { evidence: string }): KnownError {
  return new KnownError({
    code: 'DOCKER_SILENT',
    kind: 'unreachable',
    retry: 'backoff',
    message: `No Docker engine answers on the target ${fact.target}: ${fact.evidence}.`,
    hint: 'On the host, `docker version` must work for the account that deploys: start the engine, add the account to the group docker, or name its socket as `compose.engine`.',
  })
}

/** The release has no compose file, or not the one that the environment names. */
export function composeFileMissing(fact: { environment: string; wanted: readonly string[] }): KnownError {
  const { environment, wanted } = fact
  return new KnownError({
    code: 'COMPOSE_FILE_MISSING',
    kind: 'usage',
    message: `The release has no compose file for ${environment}: ${wanted.join(', ')} ${wanted.length === 1 ? 'is' : 'are'} not among its files.`,
    hint: 'Name the compose files of the release as `compose.files`, and see that `release.files` or the artifact holds them.',
  })
}

/** compose itself refuses the files. */
export function composeInvalid(fact: TargetFact & { problem: string; details: readonly string[] }): KnownError {
  return new KnownError({
    code: 'COMPOSE_INVALID',
    kind: 'red',
    message: `The compose files of the release cannot be used on the target ${fact.target}: ${fact.problem}.`,
    hint: 'Try the same files with `docker compose config`. Nothing was switched.',
    details: fact.details,
  })
}

/** Containers of the same project name belong to another folder. */
export function projectForeign(fact: TargetFact & { project: string; folder: string }): KnownError {
  return new KnownError({
    code: 'PROJECT_FOREIGN',
    kind: 'refused',
    message: `The compose project ${fact.project} on the target ${fact.target} belongs to ${fact.folder}.`,
    hint: 'Give this environment another project with `compose.project`, or end the other one there with `docker compose down`.',
  })
}

/** An image is neither on the host nor to be had. */
export function serviceImageUnavailable(
  fact: TargetFact & { service: string; image: string; details: readonly string[] },
): KnownError {
  return new KnownError({
    code: 'SERVICE_IMAGE_UNAVAILABLE',
    kind: 'red',
    retry: 'backoff',
    message: `The target ${fact.target} cannot get the image ${fact.image} of the service ${fact.service}.`,
    hint: 'Was it pushed, and may the host pull it? A private registry needs `compose.registry`. Nothing was switched.',
    details: fact.details,
  })
}

/** The registry refuses the login. */
export function registryRefused(fact: TargetFact & { server: string; details: readonly string[] }): KnownError {
  return new KnownError({
    code: 'REGISTRY_REFUSED',
    kind: 'auth',
    message: `The registry ${fact.server} did not let the target ${fact.target} log in.`,
    hint: 'Check `compose.registry` and the secret that it names; a token needs the right to pull. Nothing was switched.',
    details: fact.details,
  })
}

/** A service has no image: it would have to be built on the host, from something that no release seals. */
export function serviceUnbuilt(fact: { services: readonly string[] }): KnownError {
  const { services } = fact
  return new KnownError({
    code: 'SERVICE_UNBUILT',
    kind: 'usage',
    message: `${services.join(', ')}: no image is named, and nothing is built on a target.`,
    hint: 'Build and push the image in the workflow, then name it: as `image:` in the compose file, or in the file of `release.images`.',
  })
}

/** Services publish ports that only the proxy may (compose.expose). */
export function portsExposed(fact: {
  environment: string
  ports: readonly string[]
  allowed: readonly string[]
}): KnownError {
  const allowed = fact.allowed.length === 0 ? 'no service' : `only ${fact.allowed.join(', ')}`
  return new KnownError({
    code: 'PORTS_EXPOSED',
    kind: 'refused',
    message: `In ${fact.environment} ${allowed} may publish ports beyond loopback, and these would be: ${fact.ports.join(', ')}.`,
    hint: 'Remove the `ports` of these services, bind them to 127.0.0.1, or add the service to `compose.expose`.',
  })
}
