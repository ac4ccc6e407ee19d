import { KnownError } from '#core/errors.ts'

/** The Node of this machine does not start in the image of a job: it has another C library, or none. */
export function nodeUnusable(fact: { readonly image: string; readonly problem: string }): KnownError {
  return new KnownError({
    code: 'NODE_UNUSABLE',
    kind: 'red',
    message: `JavaScript actions cannot run in a container of "${fact.image}": the Node that Shipway brings does not start there.`,
    hint: 'It needs glibc, which Alpine and other images with musl do not have. Take an image like debian:stable-slim, or use `run:` steps and Docker actions.',
    details: fact.problem.trim() === '' ? [] : [fact.problem.trim()],
  })
}

/** A job needs Docker, and there is no such program. */
export function dockerMissing(fact: { path: string }): KnownError {
  return new KnownError({
    code: 'DOCKER_MISSING',
    kind: 'red',
    message: `The job needs Docker, and there is no program "docker" on PATH (${fact.path}).`,
    hint: 'Install Docker (Debian: `apt-get install docker.io`), or take the container out of the job.',
  })
}

/** The program is there, and its engine does not answer. */
export function dockerUnreachable(fact: { problem: string }): KnownError {
  return new KnownError({
    code: 'DOCKER_UNREACHABLE',
    kind: 'unreachable',
    message: `The Docker engine does not answer: ${firstLine(fact.problem)}`,
    hint: 'Start it, let your account use its socket (group docker), or name another one in DOCKER_HOST; `docker version` shows both sides.',
    retry: 'backoff',
    details: lines(fact.problem),
  })
}

/** Neither on this machine nor to be had from its registry. */
export function imageUnavailable(fact: { image: string; tries: number; output: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_UNAVAILABLE',
    kind: 'red',
    message: `The image "${fact.image}" is not on this machine and could not be pulled in ${fact.tries} tries: ${lastLine(fact.output)}`,
    hint: 'Check its name and tag; a private registry needs `credentials:`. An image that you build yourself must be there before the run.',
    retry: 'backoff',
    details: lines(fact.output),
  })
}

/** A registry does not take the credentials. */
export function registryLoginFailed(fact: { registry: string; output: string }): KnownError {
  return new KnownError({
    code: 'REGISTRY_LOGIN_FAILED',
    kind: 'auth',
    message: `The registry ${fact.registry} does not accept the credentials: ${lastLine(fact.output)}`,
    hint: 'Check `credentials.username` and `credentials.password`; the secret may be missing (`--secret NAME=…`).',
    details: lines(fact.output),
  })
}

/** The Dockerfile of an action does not build. */
export function imageBuildFailed(fact: { uses: string; output: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_BUILD_FAILED',
    kind: 'red',
    message: `The image of the action ${fact.uses} cannot be built: ${lastLine(fact.output)}`,
    hint: 'The whole build is in the log above; `docker build` in the folder of the action shows the same.',
  })
}

/** `container:` or a service says something that cannot be. */
export function containerInvalid(fact: { place: string; problem: string }): KnownError {
  return new KnownError({
    code: 'CONTAINER_INVALID',
    kind: 'usage',
    message: `"${fact.place}" ${fact.problem}.`,
    hint: 'It takes image, credentials, env, ports, volumes and options: see docs/containers.md.',
  })
}

/** The engine refused to make or start something, or it ended at once. */
export function containerFailed(fact: { what: string; output: string }): KnownError {
  return new KnownError({
    code: 'CONTAINER_FAILED',
    kind: 'red',
    message: `${fact.what}: ${lastLine(fact.output) || 'it ended without a word.'}`,
    hint: 'The lines above are all that Docker says; the same `docker` command by hand shows whether it is the image or this machine.',
    details: lines(fact.output),
  })
}

/** A service's own health check says no. */
export function serviceUnhealthy(fact: { service: string; image: string; status: string }): KnownError {
  return new KnownError({
    code: 'SERVICE_UNHEALTHY',
    kind: 'red',
    message: `The service "${fact.service}" (${fact.image}) did not become healthy: ${fact.status}.`,
    hint: 'Its output is in the log above. `--health-cmd`, `--health-retries` and `--health-start-period` in its options decide when it counts as healthy.',
  })
}

/** Docker takes a variable only in one line where its own program reads one of the same name. */
export function containerVariableInvalid(fact: { name: string }): KnownError {
  return new KnownError({
    code: 'CONTAINER_VARIABLE_INVALID',
    kind: 'usage',
    message: `The variable ${fact.name} has several lines, and the docker program would take it for its own setting.`,
    hint: 'Give it another name in `env:`, or write its value to a file.',
  })
}

function lines(output: string): readonly string[] {
  return output.split('\n').filter((line) => line.trim() !== '')
}

function firstLine(output: string): string {
  return lines(output)[0] ?? 'it says nothing.'
}

/** How every error of the docker program ends, whatever it was. */
const askForHelp = /^(?:Run|See) 'docker .*--help'/

function lastLine(output: string): string {
  return lines(output).findLast((line) => !askForHelp.test(line)) ?? ''
}
