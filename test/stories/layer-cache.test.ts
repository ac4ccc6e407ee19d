/** Layers of images that a later build takes over: from the engine, from the caches of the state home, and from a real registry, with both builders. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pathOfBuilder } from '../rig/build-kit.ts'
import { sharedDocker } from '../rig/docker.ts'
import { startRegistry } from '../rig/registry.ts'
import type { Registry } from '../rig/registry.ts'
import { Repository } from '../rig/repository.ts'
import { RunnerRig, expr, messagesOf, printed } from '../rig/runner.ts'
import type { EndedJob } from '../rig/runner.ts'
import { requireSystem } from '../rig/system.ts'
import { tinyImage } from '../rig/tiny-image.ts'

const daemon = await sharedDocker()
const missing = 'missing' in daemon ? daemon.missing : await requireSystem(['docker-registry'])
const env = 'missing' in daemon ? {} : daemon.env
const docker = async (...args: readonly string[]): Promise<string> =>
  'missing' in daemon ? '' : daemon.docker(...args)
const builders = ['classic', 'buildkit'] as const
const paths = new Map<string, string | undefined>()
for (const builder of builders) paths.set(builder, await pathOfBuilder(builder))
if (paths.get('buildkit') === undefined && process.env['CI'] === 'true') throw new Error('CI may not skip BuildKit.')

const mark = randomUUID().slice(0, 8)
const base = `tiny-layers-${mark}:1`
/** A development container: tools first, then what changes with every commit. No two tests have layers in common. */
const dockerfile = (name: string): string => `FROM ${base}
RUN echo "the tools of ${name} ${mark}" > /tools
RUN echo more >> /tools
COPY app.txt /app.txt
`

/** One build, and what the job says of it. */
interface Build {
  readonly image: string
  readonly cache: string
  readonly version: string
  readonly branch: string
  readonly event?: string
  readonly defaultBranch?: string
}

describe.skipIf(missing !== undefined)(`layers of a build ${missing ?? ''}`, { tags: ['slow'] }, () => {
  let registry: Registry
  let repository: Repository

  beforeAll(async () => {
    if ('missing' in daemon) return
    await tinyImage(daemon, base, mark)
    registry = await startRegistry()
    repository = new Repository()
  })
  afterAll(async () => {
    await forget()
    await docker('image', 'rm', '--force', base)
    await registry[Symbol.asyncDispose]()
    repository[Symbol.dispose]()
  })

  /** As on another machine: nothing of these builds is in the engine. */
  async function forget(): Promise<void> {
    const all = await docker('image', 'ls', '--all', '--format', '{{.Repository}}:{{.Tag}}')
    const own = all.split('\n').filter((name) => name.includes(`layers-${mark}`) && name !== base)
    if (own.length > 0) await docker('image', 'rm', '--force', ...own)
    await docker('builder', 'prune', '--all', '--force')
  }

  async function build(rig: RunnerRig, wanted: Build): Promise<EndedJob> {
    const sha = repository.git('rev-parse', 'HEAD').trim()
    const ref = wanted.event === 'pull_request' ? 'refs/pull/7/merge' : `refs/heads/${wanted.branch}`
    const { image, cache, version, defaultBranch = 'main' } = wanted
    const login = cache === 'registry' ? { username: registry.username, password: expr('secrets.PASSWORD') } : {}
    const repositoryOf = { default_branch: defaultBranch }
    return rig.run({
      secrets: { PASSWORD: registry.password },
      source: { repository: repository.root, sha, ref },
      github: {
        sha,
        ref,
        run_number: '1',
        event_name: wanted.event ?? 'push',
        event: { repository: repositoryOf },
      },
      steps: [
        { uses: 'actions/checkout@v4' },
        {
          id: 'it',
          uses: 'shipway/build-image@v1',
          with: { image, cache, version, network: 'none', ...login },
        },
        {
          run: expr(
            'format(\'echo "{0} of {1}, {2}"\', steps.it.outputs.cached-steps, steps.it.outputs.steps, steps.it.outputs.cache-level)',
          ),
        },
      ],
    })
  }

  const main = { version: '1.0.0', branch: 'main' }
  const begin = async (name: string, builder: string): Promise<void> => {
    repository.commit({ Dockerfile: dockerfile(`${name} ${builder}`), 'app.txt': 'one\n' })
    await forget()
  }

  /** What the last step says; a job that is not green says why. */
  const told = (ended: EndedJob): string =>
    [
      ...messagesOf(ended.result.annotations, 'error'),
      ...messagesOf(ended.result.annotations, 'warning'),
      printed(ended).at(-1),
    ].join('\n')

  describe.each(builders.filter((builder) => paths.get(builder) !== undefined))('with the builder %s', (builder) => {
    const start = () => RunnerRig.start({ pullRetryMs: 10 }, { ...env, PATH: paths.get(builder) ?? '' })
    test('are in the engine that has built before, but for what has changed', async () => {
      await using rig = start()
      await begin('engine', builder)
      const wanted = { ...main, image: `engine-layers-${mark}`, cache: 'engine' }

      const first = await build(rig, wanted)
      const second = await build(rig, wanted)
      repository.commit({ 'app.txt': `two ${builder}\n` })
      const changed = await build(rig, wanted)
      const without = await build(rig, { ...wanted, cache: 'none' })

      expect([first, second, changed, without].map(told)).toEqual(['0 of 3, ', '3 of 3, ', '2 of 3, ', '0 of 3, '])
      expect(second.log).toMatch(/Built in \d+\.\d s: 3 of 3 steps came from the cache\./)
    })

    test('come from the state home to an engine that has never seen them', async () => {
      await using rig = start()
      await begin('service', builder)
      const wanted = { ...main, image: `service-layers-${mark}`, cache: 'service' }

      const first = await build(rig, wanted)
      await forget()
      const second = await build(rig, { ...wanted, version: '2.0.0', branch: 'feature/x' })
      const third = await build(rig, { ...wanted, version: '2.0.0', branch: 'feature/x' })

      expect(told(first)).toBe('0 of 3, ')
      expect(first.log).toContain('Layer cache: any: nothing')
      expect(told(second)).toBe('3 of 3, branch main')
      expect(second.log).toContain('Layer cache: version 2.0.0 on main: nothing')
      expect(told(third)).toBe('3 of 3, version 2.0.0 on feature-x')
      expect(await docker('image', 'ls', '--quiet', 'shipway.local/layers')).toBe('')
    })

    test('come from a registry, from the nearest of the five levels that there is', async () => {
      await using rig = start()
      await begin('levels', builder)
      const image = `${registry.server}/acme/${builder}-layers-${mark}`
      const wanted = { ...main, image, cache: 'registry' }
      const levels: string[] = []
      const next = async (more: Partial<Build>): Promise<void> => {
        await forget()
        levels.push(told(await build(rig, { ...wanted, ...more })))
      }

      await next({})
      await next({ version: '1.0.0', branch: 'feature/x' })
      await next({ version: '1.0.0', branch: 'feature/x' })
      await next({ version: '2.0.0', branch: 'feature/x' })
      await next({ version: '3.0.0', branch: 'other' })
      await next({ version: '4.0.0', branch: 'third', defaultBranch: 'develop' })

      expect(levels).toEqual([
        '0 of 3, ',
        '3 of 3, version 1.0.0 on main',
        '3 of 3, version 1.0.0 on feature-x',
        '3 of 3, branch feature-x',
        '3 of 3, branch main',
        '3 of 3, any',
      ])
    })
  })

  describe('with the builder that this docker has', () => {
    test('of a pull request are none that a branch takes', async () => {
      await using rig = RunnerRig.start({ pullRetryMs: 10 }, { ...env, PATH: process.env['PATH'] ?? '' })
      await begin('pull', 'any')
      const image = `${registry.server}/acme/pull-layers-${mark}`

      const pull = await build(rig, { ...main, image, cache: 'registry', event: 'pull_request' })
      await forget()
      const after = await build(rig, { ...main, image, cache: 'registry' })
      await forget()
      const again = await build(rig, { ...main, image, cache: 'registry', event: 'pull_request' })

      expect([pull, after, again].map(told)).toEqual(['0 of 3, ', '0 of 3, ', '3 of 3, version 1.0.0 on pr-7'])
    })

    test('that cannot be had are a warning, and the image is built', async () => {
      await using rig = RunnerRig.start({ pullRetryMs: 10 }, { ...env, PATH: process.env['PATH'] ?? '' })
      await begin('away', 'any')
      const away = { ...main, image: `127.0.0.1:9/acme/layers-${mark}`, cache: 'registry' }

      const ended = await build(rig, away)

      expect(ended.result.conclusion).toBe('success')
      expect(told(ended)).toMatch(
        /^The registry for the build is not there: .*127\.0\.0\.1:9 was not reached in 5 tries/,
      )
      expect(told(ended)).toMatch(/\n0 of 3, $/)
    })
  })
})
