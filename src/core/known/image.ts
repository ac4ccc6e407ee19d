import { KnownError } from '../errors.ts'

/** A name or tag that no engine and no registry takes. */
export function imageNameInvalid(fact: { name: string; problem: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_NAME_INVALID',
    kind: 'usage',
    message: `"${fact.name}" is no name of an image: ${fact.problem}.`,
    hint: 'Write registry/path without a tag as `image:`, for example ghcr.io/acme/backend; tags have an input of their own.',
  })
}

/** A build would have no tag at all. */
export function imageTagsMissing(): KnownError {
  return new KnownError({
    code: 'IMAGE_TAGS_MISSING',
    kind: 'usage',
    message: 'No tag is named for the image.',
    hint: 'Give `tags:`, or leave `tag-set:` out: it then makes them of the version, the branch and the commit.',
  })
}

/** The folder or Dockerfile of a build is not in the workspace. */
export function buildFileMissing(fact: { input: string; path: string }): KnownError {
  return new KnownError({
    code: 'BUILD_FILE_MISSING',
    kind: 'usage',
    message: `The ${fact.input} "${fact.path}" of the build is not there.`,
    hint: 'Paths are relative to the workspace, which is empty until `uses: actions/checkout@v4` has run.',
  })
}

/** Something that only BuildKit does, and no BuildKit answers. */
export function buildKitMissing(fact: { wish: string; problem: string }): KnownError {
  return new KnownError({
    code: 'BUILDKIT_MISSING',
    kind: 'usage',
    message: `${fact.wish} needs BuildKit, which this Docker does not have${fact.problem === '' ? '' : `: ${fact.problem}`}.`,
    hint: 'Install its plugin (`apt-get install docker-buildx`, or docker-buildx-plugin of Docker), then `DOCKER_BUILDKIT=1 docker build --help` shows --secret.',
  })
}

/** A platform that the engine does not build for. */
export function imagePlatformUnavailable(fact: { wanted: readonly string[]; own: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_PLATFORM_UNAVAILABLE',
    kind: 'usage',
    message: `The Docker engine of this machine builds for ${fact.own}, not for ${fact.wanted.join(', ')}.`,
    hint: 'Build each platform in a job that runs on such a machine, or leave `platforms:` out. Several platforms in one image need buildx by hand: see docs/images.md.',
  })
}

/** A secret would stay in the image for everybody who has it. */
export function imageSecretExposed(fact: { input: string; name: string; secret: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_SECRET_EXPOSED',
    kind: 'refused',
    message: `"${fact.input}" puts the secret ${fact.secret} into ${fact.name}, where everybody who has the image can read it.`,
    hint: 'Give it as `secrets: |` NAME=value and read it in the Dockerfile with RUN --mount=type=secret,id=NAME.',
  })
}

/** docker build ended red. */
export function imageNotBuilt(fact: { file: string; output: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_NOT_BUILT',
    kind: 'red',
    message: `The image of ${fact.file} was not built: ${lastLine(fact.output) || 'docker says nothing'}`,
    hint: 'The whole build is in the log above.',
  })
}

/** What shall be pushed is not in the engine. */
export function imageAbsent(fact: { image: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_ABSENT',
    kind: 'usage',
    message: `The image ${fact.image} is not in the Docker engine of this machine.`,
    hint: 'Build it in the same job: `tags: ${{ steps.ID.outputs.tags }}` takes what shipway/build-image has made.',
  })
}

/** Nobody answers at the address of a registry. */
export function registryUnreachable(fact: { registry: string; tries: number; problem: string }): KnownError {
  return new KnownError({
    code: 'REGISTRY_UNREACHABLE',
    kind: 'unreachable',
    message: `The registry ${fact.registry} was not reached in ${fact.tries} tries: ${fact.problem}.`,
    hint: 'Is it up, and its name right? Only registries on loopback are asked without TLS; a certificate of your own authority is named in NODE_EXTRA_CA_CERTS of the agent.',
    retry: 'backoff',
  })
}

/** Somebody answers there, and it is no registry. */
export function registryAbsent(fact: { registry: string; answer: string }): KnownError {
  return new KnownError({
    code: 'REGISTRY_ABSENT',
    kind: 'usage',
    message: `There is no registry at ${fact.registry}: /v2/ answers ${fact.answer}.`,
    hint: 'Check the first part of the name of the image; a registry speaks the OCI distribution API.',
  })
}

/** The registry does not let this job in, or not write. */
export function registryDenied(fact: { registry: string; image: string; status: number; user: string }): KnownError {
  const who = fact.user === '' ? 'without a login' : `as ${fact.user}`
  return new KnownError({
    code: 'REGISTRY_DENIED',
    kind: 'auth',
    message: `The registry ${fact.registry} refuses ${fact.image} ${who} (${fact.status}).`,
    hint: 'Give `username:` and `password:` (a secret); a token needs the right to write packages. Is the secret there (`--secret NAME=…`)?',
  })
}

/** docker push ended red again and again. */
export function imageNotPushed(fact: { image: string; tries: number; output: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_NOT_PUSHED',
    kind: 'red',
    message: `${fact.image} was not pushed in ${fact.tries} tries: ${lastLine(fact.output) || 'docker says nothing'}`,
    hint: 'What docker says of each try is in the log above.',
    retry: 'backoff',
  })
}

/** What the registry has is not what was built. */
export function imageDigestDiffers(fact: { image: string; expected: string; found: string }): KnownError {
  return new KnownError({
    code: 'IMAGE_DIGEST_DIFFERS',
    kind: 'red',
    message: `The registry has something else as ${fact.image} than what was pushed: ${fact.found} instead of ${fact.expected}.`,
    hint: 'Nothing of it may be deployed. Push again; a proxy or a second build under the same name may stand between.',
  })
}

/** The file that collects digests for a release holds something else. */
export function imagesFileInvalid(fact: { path: string; problem: string }): KnownError {
  return new KnownError({
    code: 'IMAGES_FILE_INVALID',
    kind: 'usage',
    message: `The file ${fact.path} cannot take an image: ${fact.problem}.`,
    hint: 'It holds {"name": "registry/path@sha256:…"} and nothing else; remove it, or name another one as `images-file:`.',
  })
}

function lastLine(output: string): string {
  return (
    output
      .split('\n')
      .filter((line) => line.trim() !== '')
      .at(-1) ?? ''
  )
}
