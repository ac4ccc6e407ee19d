import { describe, expect, test } from 'vitest'
import { BuildCounter } from './build-output.ts'
import { buildCall, imageLabels, platformOf } from './build-plan.ts'
import type { BuildPlan } from './build-plan.ts'
import { cacheKey, cacheLevels, cacheTagsToWrite, imageOfKey } from './layer-cache.ts'
import { readChallenge } from './challenge.ts'

const plan: BuildPlan = {
  context: '/w/app',
  file: '/w/app/Dockerfile',
  target: 'production',
  arguments: [
    { name: 'GREETING', value: 'hello world' },
    { name: 'DOCKER_HOST', value: 'tcp://elsewhere' },
  ],
  secrets: [{ id: 'token', file: '/t/secret_0' }],
  labels: { team: 'one two' },
  tags: ['app:1', 'app:2'],
  network: 'none',
  cacheFrom: ['app:cache'],
  isCacheKept: true,
  usesCache: true,
  pulls: false,
  idFile: '/t/id',
}

describe('the call of a build', () => {
  test('takes values of arguments from the environment, but for names that docker itself reads', () => {
    const { args, env } = buildCall(plan, 'buildkit')
    expect(args.join(' ')).not.toContain('hello world')
    expect(env).toEqual({ DOCKER_BUILDKIT: '1', GREETING: 'hello world' })
    expect(args.join(' ')).toBe(
      'build --iidfile /t/id --file /w/app/Dockerfile --progress plain --target production --network none --build-arg GREETING --build-arg DOCKER_HOST=tcp://elsewhere --build-arg BUILDKIT_INLINE_CACHE=1 --secret id=token,src=/t/secret_0 --label team=one two --cache-from app:cache --tag app:1 --tag app:2 /w/app',
    )
  })

  test('has no option of BuildKit for the classic builder', () => {
    const { args, env } = buildCall({ ...plan, secrets: [], usesCache: false, pulls: true }, 'classic')
    expect(args).not.toContain('--progress')
    expect(args).not.toContain('BUILDKIT_INLINE_CACHE=1')
    expect(args).toContain('--no-cache')
    expect(args).toContain('--pull')
    expect(env['DOCKER_BUILDKIT']).toBe('0')
  })
})

test('labels say nothing that is not known', () => {
  expect(imageLabels({ sha: 'abc', source: '', version: '', created: '2026-01-02T03:04:05Z' })).toEqual({
    'org.opencontainers.image.created': '2026-01-02T03:04:05Z',
    'org.opencontainers.image.revision': 'abc',
  })
})

test.each([
  ['amd64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['linux/arm/v7', 'linux/arm/v7'],
])('the platform %s is %s', (written, platform) => {
  expect(platformOf(written)).toBe(platform)
})

describe('what came from the cache', () => {
  const count = (text: string) => {
    const counter = new BuildCounter()
    // However it is cut into pieces.
    for (const piece of text.match(/[\s\S]{1,7}/g) ?? []) counter.add(piece)
    return counter.count()
  }

  test('is counted in the words of the classic builder', () => {
    const text = `Step 1/4 : FROM a AS b
 ---> 0123
Step 2/4 : RUN one
 ---> Using cache
 ---> 4567
Step 3/4 : LABEL a=b
 ---> Using cache
Step 4/4 : COPY a b
 ---> 89ab
`
    expect(count(text)).toEqual({ steps: 2, cached: 1 })
  })

  test('is counted in the words of BuildKit', () => {
    const text = `#1 [internal] load build definition from Dockerfile
#5 [builder 1/2] FROM docker.io/library/a
#6 [builder 2/2] RUN one
#6 CACHED

#7 [stage-1 2/3] COPY a b
#7 DONE 0.1s
#6 [builder 2/2] RUN one
#8 exporting to image
`
    expect(count(text)).toEqual({ steps: 2, cached: 1 })
  })
})

describe('levels of the layer cache', () => {
  const facts = { subject: 'app:dev', version: '1.4.2', branch: 'feature-x', defaultBranch: 'main' }

  test('go from version and branch to anything', () => {
    expect(cacheLevels(facts).map(({ label, tag }) => `${label} → ${tag}`)).toEqual([
      'version 1.4.2 on feature-x → cache-1.4.2-feature-x',
      'version 1.4.2 on main → cache-1.4.2-main',
      'branch feature-x → cache-feature-x',
      'branch main → cache-main',
      'any → cache',
    ])
    expect(cacheLevels({ ...facts, branch: 'main', version: '' }).map(({ label }) => label)).toEqual([
      'branch main',
      'any',
    ])
  })

  test('are beginnings of the keys that may stand for them, and of no others', () => {
    const keyOf = (branch: string, version: string) => cacheKey({ ...facts, branch, version }, 'sha256:00')
    const keys = [
      keyOf('feature-x', '1.4.2'),
      keyOf('main', '1.4.2'),
      keyOf('feature-x', '1.4.20'),
      keyOf('main', '1'),
      keyOf('feature-xy', '1'),
    ]
    const fitting = cacheLevels(facts).map(({ prefix }) => keys.filter((key) => key.startsWith(prefix)).length)
    expect(fitting).toEqual([1, 1, 2, 2, 5])
    expect(imageOfKey(keys[0] ?? '')).toBe('sha256:00')
    expect(cacheLevels({ ...facts, subject: 'app' }).some(({ prefix }) => keys[0]?.startsWith(prefix))).toBe(false)
  })

  test('of a pull request are read by nobody else', () => {
    const tags = cacheTagsToWrite({ ...facts, branch: 'pr-7' }, true)
    expect(tags).toEqual(['cache-1.4.2-pr-7', 'cache-pr-7'])
    expect(cacheLevels(facts).some(({ tag }) => tags.includes(tag))).toBe(false)
    expect(cacheTagsToWrite(facts, false)).toContain('cache')
  })
})

test.each([
  ['Basic realm="x"', { kind: 'basic' }],
  [
    'Bearer realm="https://auth.example.org/token",service="registry.example.org",scope="a"',
    { kind: 'bearer', realm: 'https://auth.example.org/token', service: 'registry.example.org' },
  ],
  ['Bearer service="x"', undefined],
  ['Negotiate abc', undefined],
  ['', undefined],
])('the challenge %s', (header, challenge) => {
  expect(readChallenge(header)).toEqual(challenge)
})
