/** Images that a job builds and pushes: a real engine with both of its builders, and a real registry on loopback with a login. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pathOfBuilder } from '../rig/build-kit.ts'
import { baseImage, sharedDocker } from '../rig/docker.ts'
import { startGateProxy } from '../rig/gate-proxy.ts'
import { startRegistry } from '../rig/registry.ts'
import type { Registry } from '../rig/registry.ts'
import { Repository } from '../rig/repository.ts'
import { RunnerRig, expr, messagesOf, printed } from '../rig/runner.ts'
import type { Template } from '#core/workflow/model.ts'
import type { EndedJob, TestJob, TestStep } from '../rig/runner.ts'
import { requireSystem } from '../rig/system.ts'
import { tinyImage } from '../rig/tiny-image.ts'

const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : await requireSystem(['docker-registry'])
const env = 'missing' in daemon ? {} : daemon.env
const docker = async (...args: readonly string[]): Promise<string> =>
  'missing' in daemon ? '' : daemon.docker(...args)
const buildKitPath = await pathOfBuilder('buildkit')
if (buildKitPath === undefined && process.env['CI'] === 'true')
  throw new Error('CI may not skip BuildKit: no docker has it.')
/** Debian's docker.io 20 brings it; later ones need their plugin. */
const without = buildKitPath === undefined ? '(needs a docker with BuildKit)' : ''
const mark = randomUUID().slice(0, 8)
const base = `tiny-build-${mark}:1`

const dockerfile = `FROM ${base} AS builder
ARG GREETING=none
RUN echo "built with $GREETING" > /made
RUN cat /made > /made-twice
FROM ${base} AS development
COPY --from=builder /made /made
RUN echo tools > /tools
FROM ${base} AS production
COPY --from=builder /made /made
COPY app.txt /app.txt
CMD ["cat", "/made", "/app.txt"]
`
const withSecret = `FROM ${base}
RUN --mount=type=secret,id=token word=$(cat /run/secrets/token) && echo "length \${#word}" > /length
`

/** Answers, and is no registry. */
async function startWebServer(): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer((_request, response) => response.writeHead(404).end('nothing here'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const errorsOf = (job: EndedJob) => messagesOf(job.result.annotations, 'error')

describe.skipIf(missing !== undefined)(`an image of a job ${missing ?? ''}`, { tags: ['slow'] }, () => {
  let registry: Registry
  let repository: Repository
  let sha: string
  let committedAt: string

  beforeAll(async () => {
    if ('missing' in daemon) return
    await tinyImage(daemon, base, mark)
    registry = await startRegistry()
    repository = new Repository()
    sha = repository.commit({ Dockerfile: dockerfile, 'secret.Dockerfile': withSecret, 'app.txt': 'one\n' })
    committedAt = repository.git('show', '--no-patch', '--format=%cI', sha).trim()
  })
  afterAll(async () => {
    await registry[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
    const left = await docker('image', 'ls', '--format', '{{.Repository}}:{{.Tag}}')
    const own = left.split('\n').filter((name) => name.includes(mark) || name.startsWith(registry.server))
    if (own.length > 0) await docker('image', 'rm', '--force', ...own)
  })

  const start = (path = process.env['PATH'] ?? '') => RunnerRig.start({ pullRetryMs: 10 }, { ...env, PATH: path })
  const job = (steps: readonly TestStep[], more: Partial<TestJob> & { readonly ref?: string } = {}): TestJob => {
    const ref = more.ref ?? 'refs/heads/main'
    const github = { sha, ref, run_number: '42', server_url: 'https://github.com', repository: `acme/${mark}` }
    return {
      secrets: { PASSWORD: registry.password },
      source: { repository: repository.root, sha, ref },
      ...more,
      github: { ...github, ...more.github },
      steps: [{ uses: 'actions/checkout@v4' }, ...steps],
    }
  }
  const build = (inputs: Readonly<Record<string, string>>): TestStep => ({
    id: 'it',
    uses: 'shipway/build-image@v1',
    with: { network: 'none', ...inputs },
  })
  const label = async (image: string): Promise<Record<string, string>> =>
    JSON.parse(await docker('image', 'inspect', '--format', '{{json .Config.Labels}}', image)) as Record<string, string>

  test.each([
    ['the builder that this docker has', undefined],
    ...(without === '' ? ([['BuildKit', 'buildkit']] as const) : []),
  ] as const)(
    'of a multi-stage Dockerfile is its target alone, named by version, commit and branch, with %s',
    async (_how, kind) => {
      if (kind === 'buildkit' && buildKitPath === undefined)
        throw new Error('No docker with BuildKit is on this machine.')
      await using rig = start(kind === 'buildkit' ? buildKitPath : undefined)
      const image = `acme/App-${mark}-${kind ?? 'own'}`

      const ended = await rig.run(
        job([
          build({
            image,
            target: 'production',
            version: '1.4.2',
            'build-args': 'GREETING=hello, world',
            labels: 'team=one two',
          }),
          {
            run: expr(
              'format(\'echo "{0}|{1}|{2}"\', steps.it.outputs.builder, steps.it.outputs.version, steps.it.outputs.image)',
            ),
          },
        ]),
      )

      expect(errorsOf(ended)).toEqual([])
      const name = image.toLowerCase()
      const builder = /\|/.test(printed(ended).at(-1) ?? '') ? (printed(ended).at(-1) ?? '').split('|')[0] : ''
      if (kind === 'buildkit') expect(builder).toBe('buildkit')
      expect(printed(ended).at(-1)).toBe(`${builder}|1.4.2|${name}:1.4.2`)
      const tags = ['1.4.2', `1.4.2-${sha.slice(0, 7)}`, 'latest', 'main']
      const ids = await Promise.all(
        tags.map((tag) => docker('image', 'inspect', '--format', '{{.Id}}', `${name}:${tag}`)),
      )
      expect(new Set(ids).size).toBe(1)
      expect(await label(`${name}:latest`)).toMatchObject({
        'org.opencontainers.image.created': committedAt,
        'org.opencontainers.image.revision': sha,
        'org.opencontainers.image.source': `https://github.com/acme/${mark}`,
        'org.opencontainers.image.version': '1.4.2',
        team: 'one two',
      })
      expect(await docker('run', '--rm', '--network=none', `${name}:latest`)).toBe('built with hello, world\none')
      await expect(docker('run', '--rm', '--network=none', `${name}:latest`, 'cat', '/tools')).rejects.toThrow(
        'No such file',
      )
    },
  )

  test('of a branch without a version has the number of the run and the commit, and a branch takes no tag of another thing', async () => {
    await using rig = start()
    const image = `build-${mark}`
    const show = { run: expr('format(\'printf %s "{0}"\', steps.it.outputs.tags)') }

    const counted = await rig.run(job([build({ image, target: 'development' }), show], { ref: 'refs/heads/feature/x' }))
    const versioned = await rig.run(
      job([build({ image, target: 'development', version: '2.0.0' }), show], { ref: 'refs/heads/feature/x' }),
    )
    const greedy = await rig.run(
      job([build({ image, target: 'development', version: '2.0.0' }), show], { ref: 'refs/heads/latest' }),
    )

    const short = sha.slice(0, 7)
    const endings = (ended: EndedJob) => printed(ended).filter((line) => /^build-[0-9a-f]{8}:\S+$/.test(line))
    expect(endings(counted)).toEqual([`${image}:42`, `${image}:${sha}`, `${image}:42-${short}`])
    expect(endings(versioned)).toEqual([`${image}:2.0.0`, `${image}:2.0.0-${short}`, `${image}:feature-x`])
    expect(endings(greedy)).toEqual([`${image}:2.0.0`, `${image}:2.0.0-${short}`])
  })

  test.skipIf(without !== '')(
    `gets secrets as files of its build, and never as arguments or labels ${without}`,
    async () => {
      await using rig = start(buildKitPath)
      const image = `secret-${mark}`
      const inputs = { image, file: 'secret.Dockerfile', 'tag-set': 'none', tags: '1' }

      const right = await rig.run(job([build({ ...inputs, secrets: `token=${registry.password}` })]))
      const exposed = await rig.run(job([build({ ...inputs, 'build-args': `TOKEN=${registry.password}` })]))
      const classic = await rig.run(
        job([build({ ...inputs, secrets: `token=${registry.password}` })], { env: { DOCKER_BUILDKIT: '0' } }),
      )

      expect(errorsOf(right)).toEqual([])
      expect(await docker('run', '--rm', '--network=none', `${image}:1`, 'cat', '/length')).toBe(
        `length ${registry.password.length}`,
      )
      expect(await docker('history', '--no-trunc', `${image}:1`)).not.toContain(registry.password)
      expect(right.log).not.toContain(registry.password)
      const { temp } = right.order.paths
      expect(existsSync(temp) ? readdirSync(temp).filter((name) => name.startsWith('_image')) : []).toEqual([])
      expect(errorsOf(exposed)).toEqual([expect.stringContaining('"build-args" puts the secret PASSWORD into TOKEN')])
      expect(errorsOf(classic)).toEqual([
        expect.stringMatching(/^A build with secrets needs BuildKit, .*DOCKER_BUILDKIT is 0/),
      ])
    },
  )

  test('that cannot be says why: a platform, a missing Dockerfile, a path outside, a name, a red step', async () => {
    await using rig = start()
    const image = `wrong-${mark}`
    const reason = async (inputs: Readonly<Record<string, string>>): Promise<string> =>
      errorsOf(await rig.run(job([build({ image, ...inputs })]))).join('\n')

    expect(await reason({ platforms: 'linux/amd64,linux/s390x' })).toMatch(
      /builds for linux\/\w+, not for .*linux\/s390x/,
    )
    expect(await reason({ file: 'none.Dockerfile' })).toBe('The file "none.Dockerfile" of the build is not there.')
    expect(await reason({ context: '../..' })).toContain('leads out of')
    expect(await reason({ image: 'acme/app:1' })).toBe('"acme/app:1" is no name of an image: it has a tag.')
    expect(await reason({ image: 'acme//app' })).toContain('is no name of an image')
    expect(await reason({ target: 'nowhere' })).toMatch(/^The image of Dockerfile was not built: .*nowhere/)
    await using alone = RunnerRig.start({}, { PATH: process.env['PATH'] ?? '', DOCKER_HOST: 'unix:///nowhere.sock' })
    expect(errorsOf(await alone.run(job([build({ image })])))).toEqual([
      expect.stringContaining('The Docker engine does not answer'),
    ])
  })

  const login = () => ({ username: registry.username, password: expr('secrets.PASSWORD') })
  const push = (inputs: Readonly<Record<string, Template>> = {}): TestStep => ({
    id: 'pushed',
    uses: 'shipway/push-image@v1',
    with: {
      tags: expr('steps.it.outputs.tags'),
      'image-id': expr('steps.it.outputs.image-id'),
      ...login(),
      ...inputs,
    },
  })
  const answerOf = async (path: string): Promise<Response> =>
    fetch(`http://${registry.server}/v2/${path}`, {
      method: 'HEAD',
      headers: {
        accept: 'application/vnd.docker.distribution.manifest.v2+json',
        authorization: `Basic ${Buffer.from(`${registry.username}:${registry.password}`).toString('base64')}`,
      },
    })

  test('comes to a registry with a login under all its tags, is read back by digest, and is named for the release', async () => {
    await using rig = start()
    const image = `${registry.server}/acme/shop-${mark}`

    const ended = await rig.run(
      job([
        build({ image, target: 'production', version: '1.0.0' }),
        push({ name: 'web', 'images-file': 'release/images.json' }),
        push({ name: 'api', 'images-file': 'release/images.json' }),
        {
          run: expr(
            'format(\'echo "{0}"; cat release/images.json; ls ~/.docker 2>&1 || true\', steps.pushed.outputs.image)',
          ),
        },
      ]),
    )

    expect(errorsOf(ended)).toEqual([])
    const said = printed(ended)
    const reference = said.find((line) => line.startsWith(`${image}@sha256:`)) ?? ''
    const digest = reference.split('@')[1] ?? ''
    for (const tag of ['1.0.0', `1.0.0-${sha.slice(0, 7)}`, 'latest', 'main', digest])
      expect((await answerOf(`acme/shop-${mark}/manifests/${tag}`)).headers.get('docker-content-digest')).toBe(digest)
    expect(said.join('\n')).toContain(`  "api": "${reference}",\n  "web": "${reference}"\n`)
    expect(said.join('\n')).toMatch(/\.docker.*No such file/)
    expect(ended.log).toContain(`The registry has ${reference}: read back and compared.`)
    expect(ended.log).not.toContain(registry.password)
    const { temp } = ended.order.paths
    expect(existsSync(temp) ? readdirSync(temp).filter((name) => name.startsWith('_docker_config')) : []).toEqual([])
  })

  test('waits for a registry that is away for a moment, and for no more than that', async () => {
    await using rig = start()
    await using gate = await startGateProxy(registry.server)
    const image = `${gate.address}/acme/away-${mark}`
    const steps = [build({ image, target: 'production', 'tag-set': 'none', tags: '1' }), push()]

    gate.shutFor(2)
    const late = await rig.run(job(steps))
    gate.shutFor(Infinity)
    const never = await rig.run(job(steps))

    expect(errorsOf(late)).toEqual([])
    expect(late.log).toMatch(/The registry 127\.0\.0\.1:\d+ does not answer \(.+\), try 1 of 5\./)
    expect(errorsOf(never)).toEqual([
      expect.stringMatching(/^The registry 127\.0\.0\.1:\d+ was not reached in 5 tries: /),
    ])
  })

  test('is not pushed without the right to, to what is no registry, or when it was never built, each by its name', async () => {
    await using rig = start()
    await using silent = await startWebServer()
    const image = `${registry.server}/acme/no-${mark}`
    const built = build({ image, target: 'production', 'tag-set': 'none', tags: '1' })
    const reason = async (...steps: readonly TestStep[]): Promise<string> =>
      errorsOf(await rig.run(job(steps))).join('\n')

    const wrong = await reason(built, push({ password: 'guessed' }))
    const nobody = await reason(built, push({ username: '', password: '' }))
    const half = await reason(built, push({ password: '' }))
    const absent = await reason(push({ tags: `${image}:2`, 'image-id': '' }))
    const other = await reason(build({ image: `${silent.address}/a/b`, 'tag-set': 'none', tags: '1' }), push())
    const mixed = await reason(built, push({ tags: `${image}:1,${image}-other:1` }))

    expect(wrong).toBe(`The registry ${registry.server} refuses ${image} as ${registry.username} (401).`)
    expect(nobody).toBe(`The registry ${registry.server} refuses ${image} without a login (401).`)
    expect(half).toContain('the input "password" is ""')
    expect(absent).toBe(`The image ${image}:2 is not in the Docker engine of this machine.`)
    expect(other).toBe(`There is no registry at ${silent.address}: /v2/ answers 404.`)
    expect(mixed).toContain('it is of another repository')
  })

  test('is pushed by a login of the job, by our action and by docker itself, and by nobody after the job', async () => {
    await using rig = start()
    const image = `${registry.server}/acme/login-${mark}`
    const built = build({ image, target: 'production', 'tag-set': 'none', tags: '1,2' })
    const logIn = (inputs: Readonly<Record<string, Template>> = {}): TestStep => ({
      uses: 'docker/login-action@v3',
      with: { registry: `http://${registry.server}/`, ...login(), ...inputs },
    })

    const right = await rig.run(
      job([
        logIn(),
        built,
        push({ tags: `${image}:1`, username: '', password: '' }),
        { run: `docker push --quiet ${image}:2` },
        { run: 'cp "$DOCKER_CONFIG/config.json" config.json; test ! -e ~/.docker; stat -c %a config.json' },
      ]),
    )
    const inside = await rig.run(
      job([logIn(), built, push({ tags: `${image}:1`, username: '', password: '' })], { container: baseImage }),
    )
    const wrong = await rig.run(job([logIn({ password: 'guessed' })]))
    const without = await rig.run(job([logIn({ password: '' })]))
    const amazon = await rig.run(job([logIn({ registry: '123456789012.dkr.ecr.eu-west-1.amazonaws.com' })]))

    expect(errorsOf(right)).toEqual([])
    expect(errorsOf(inside)).toEqual([])
    expect(printed(right)).toContain('600')
    expect(right.log).toContain(`Logged out at ${registry.server}.`)
    expect(right.log).not.toContain(registry.password)
    for (const tag of ['1', '2']) expect((await answerOf(`acme/login-${mark}/manifests/${tag}`)).status).toBe(200)
    expect(errorsOf(wrong)).toEqual([
      `The registry ${registry.server} refuses the login as ${registry.username} (401).`,
    ])
    expect(errorsOf(without)).toEqual([expect.stringContaining('the input "password" is ""')])
    expect(errorsOf(amazon)).toEqual([expect.stringContaining('"ecr: auto" is not supported')])
  })
})
