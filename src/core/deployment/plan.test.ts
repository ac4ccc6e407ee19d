import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { assembleRelease } from '#core/release/assemble.ts'
import { parseProject } from '#core/project/parse.ts'
import type { Release } from '#core/release/model.ts'
import { healthProblem, healthQuestion, isAskedPerTarget } from './health.ts'
import { planDeployment, planHash } from './plan.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const configOf = (settings: string) => {
  const { value, diagnostics } = parseProject({
    file: 'shipway.yml',
    text: `name: shop\nenvironments: { staging: { targets: [/srv/a, /srv/b], ${settings} } }`,
    folderName: 'shop',
  })
  const environment = value?.environments[0]
  if (value === undefined || environment === undefined) throw new Error(JSON.stringify(diagnostics))
  return { value, environment }
}
function release(id: string, settings: string, files: Readonly<Record<string, string>>): Release {
  const manifest = assembleRelease({
    config: configOf(settings).value,
    version: id,
    source: { sha: 'c'.repeat(40), ref: 'refs/heads/main', dirty: false },
    files: Object.entries(files).map(([path, content]) => ({
      path,
      mode: 0o644,
      size: content.length,
      digest: sha256(content),
    })),
    evidence: [],
  })
  return { id, manifest, sealedBy: 'ada', createdAt: 0 }
}

const old = release('v1', 'variables: { A: "1", B: "2" }, restart: one', { same: 'S', changed: 'old', gone: 'G' })
const next = release('v2', 'variables: { B: "3", C: "4" }, restart: two', { same: 'S', changed: 'newer', added: 'S' })
const { environment } = configOf('retain: 3')
const plan = (running: readonly (string | undefined)[]) =>
  planDeployment({
    mode: 'deploy',
    environment,
    release: next,
    running: running.map((release) => (release === undefined ? {} : { release })),
    known: new Map([['v1', old]]),
  })

describe('a plan', () => {
  test('tells files, bytes, variables and settings that differ from what runs', () => {
    expect(plan(['v1', 'v1']).differences).toEqual([
      {
        from: 'v1',
        fromVersion: 'v1',
        added: { count: 1, bytes: 1, first: [{ path: 'added', size: 1 }] },
        changed: { count: 1, bytes: 5, first: [{ path: 'changed', size: 5, sizeBefore: 3 }] },
        removed: { count: 1, bytes: 1, first: [{ path: 'gone', size: 1 }] },
        newBytes: 5,
        variables: [
          { name: 'A', from: '1' },
          { name: 'B', from: '2', to: '3' },
          { name: 'C', to: '4' },
        ],
        isRestartChanged: true,
        isHealthChanged: false,
      },
    ])
  })

  test('tells each release that runs somewhere, a fresh target and one that nobody knows included', () => {
    expect(plan(['v1', undefined]).differences.map(({ from, added }) => [from, added.count])).toEqual([
      ['v1', 1],
      [undefined, 3],
    ])
    expect(plan(['alien', 'alien']).differences).toMatchObject([{ from: 'alien', added: { count: 3 } }])
  })

  test('has a name that changes with everything that matters to whoever approves it', () => {
    const hashes = [
      planHash(plan(['v1', 'v1']), sha256),
      planHash(plan(['v1', undefined]), sha256),
      planHash({ ...plan(['v1', 'v1']), mode: 'rollback' }, sha256),
      planHash(
        planDeployment({
          mode: 'deploy',
          environment,
          release: old,
          running: [{ release: 'v1' }, { release: 'v1' }],
          known: new Map(),
        }),
        sha256,
      ),
      planHash(
        planDeployment({
          mode: 'deploy',
          environment: configOf('confirmWithin: 9m').environment,
          release: next,
          running: [{ release: 'v1' }, { release: 'v1' }],
          known: new Map([['v1', old]]),
        }),
        sha256,
      ),
    ]

    expect(new Set(hashes).size).toBe(hashes.length)
    expect(planHash(plan(['v1', 'v1']), sha256)).toBe(hashes[0])
  })
})

describe('health', () => {
  const rule = {
    url: 'http://${{ target.host }}/${{target.name}}',
    status: 200,
    contains: '${{ release.version }} ${{ release.sha }}',
    withinMs: 1,
    everyMs: 1,
    successes: 1,
  }

  test('asks with everything filled in', () => {
    expect(healthQuestion(rule, next, { name: 'web', host: 'h' })).toEqual({
      url: 'http://h/web',
      status: 200,
      contains: `v2 ${'c'.repeat(40)}`,
    })
    expect(isAskedPerTarget(rule)).toBe(true)
    expect(isAskedPerTarget({ ...rule, url: 'http://a/' })).toBe(false)
  })

  test.for([
    [{ kind: 'answer', status: 200, body: 'it is v2.' }, undefined],
    [
      { kind: 'answer', status: 200, body: 'it is v1.' },
      'it answered 200, but the body does not hold "v2": "it is v1."',
    ],
    [{ kind: 'answer', status: 500, body: '' }, 'it answered 500 instead of 200: an empty body'],
    [
      { kind: 'answer', status: 301, location: '/up/', body: '' },
      'it answered 301 and redirects to /up/; redirects are not followed',
    ],
    [{ kind: 'unreachable', why: 'ECONNREFUSED' }, 'nobody listens there (ECONNREFUSED)'],
    [{ kind: 'unreachable', why: 'ENOTFOUND' }, 'it could not be reached (ENOTFOUND)'],
    [{ kind: 'reset', why: 'ECONNRESET' }, 'it broke the connection (ECONNRESET)'],
    [{ kind: 'timeout' }, 'it did not answer in time'],
  ] as const)('%j: %s', ([answer, problem]) => {
    expect(healthProblem({ url: 'http://a/', status: 200, contains: 'v2' }, answer)).toBe(problem)
  })
})
