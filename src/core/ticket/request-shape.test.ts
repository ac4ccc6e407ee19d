import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '#core/json.ts'
import type { TicketRequest } from './model.ts'
import { readRequest } from './request-shape.ts'
import { isTooDeep, nestingMax } from './shape.ts'

const digest = 'a'.repeat(64)

/** One of each kind with every field. */
const sound: { readonly [Kind in TicketRequest['kind']]: Extract<TicketRequest, { readonly kind: Kind }> } = {
  run: {
    kind: 'run',
    application: 'shop',
    repositoryName: 'acme/shop',
    repository: '/srv/shop',
    event: {
      name: 'push',
      ref: 'refs/heads/main',
      sha: 'b'.repeat(40),
      before: 'c'.repeat(40),
      baseRef: '',
      headRef: '',
      changedFiles: ['-odd name'],
      message: 'one\ntwo',
      defaultBranch: 'main',
      inputs: { size: '1' },
      payload: { commits: [{ message: '\0' }] },
    },
    actor: 'ada',
    dirty: false,
    workflows: ['ci.yml'],
    job: 'build',
    hasShell: true,
    matrix: [{ key: 'os', value: 'x' }],
    vars: { __proto__: '', A: '1' },
    env: {},
    secretNames: ['KEY'],
    platforms: { 'ubuntu-latest': 'host' },
  },
  publish: { kind: 'publish', application: 'shop', release: digest, isForced: true },
  rerun: { kind: 'rerun', run: 'run_1', scope: { kind: 'step', job: 'build', step: '1' }, secretNames: [] },
  deploy: {
    kind: 'deploy',
    mode: 'rollback',
    application: 'shop',
    environment: 'live',
    release: 'v1',
    reason: 'it is\nbroken',
    plan: digest,
    isForced: true,
    isRehearsal: true,
    repository: '/srv/shop',
    run: 'run_1',
  },
  decision: { kind: 'decision', decision: 'approve', subject: 'dep_1', environment: 'live', plan: 'a', reason: '' },
  environment: {
    kind: 'environment',
    action: 'lock',
    application: 'shop',
    environment: 'live',
    reason: 'launch',
    until: 1,
  },
  cancel: { kind: 'cancel', subject: 'run_1', reason: 'no' },
  release: {
    kind: 'release',
    action: 'import',
    application: 'shop',
    release: digest,
    attestations: [digest],
    repositoryName: 'acme/shop',
    reports: [{ kind: 'tests', path: 'junit.xml', digest, size: 0 }],
  },
  backup: { kind: 'backup', application: 'shop', environment: 'live', reason: 'move' },
  restore: {
    kind: 'restore',
    application: 'shop',
    environment: 'live',
    backup: 'latest',
    reason: 'x',
    isUnsaved: true,
  },
}

const copyOf = (request: TicketRequest): Record<string, Json> =>
  structuredClone(request) as unknown as Record<string, Json>

describe('What a ticket asks for', () => {
  test('is taken as it is when it is sound, of every kind and with every field', () => {
    for (const request of Object.values(sound)) expect(readRequest(copyOf(request))).toEqual(request)
  })

  test('is malformed when any field is of another type, or a field that no rule makes optional is missing', () => {
    for (const request of Object.values(sound)) {
      for (const field of Object.keys(request)) {
        const other = { ...copyOf(request), [field]: 7.5 }
        expect(readRequest(other), `${request.kind}.${field}`).toHaveProperty('problem')
      }
      expect(readRequest({ kind: request.kind })).toHaveProperty('problem')
    }
  })

  test('says which place is wrong, and how', () => {
    const problems = [
      [{ vars: { A: 1 } }, 'request.vars.A is no text'],
      [{ vars: [] }, 'request.vars is no object'],
      [{ application: '../other' }, 'request.application is no name: it is empty, too long or a path'],
      [{ repository: '--upload-pack=x' }, 'request.repository begins with a dash or has more than one line'],
      [{ event: { ...sound.run.event, sha: '-x' } }, 'request.event.sha begins with a dash or has more than one line'],
      [{ actor: 'a\0b' }, 'request.actor has characters that no text can have'],
      [{ actor: '\ud800' }, 'request.actor has characters that no text can have'],
      [{ matrix: [{ key: 'os' }] }, 'request.matrix[0] has no "value"'],
      [{ onlyIf: 'green' }, 'request has "onlyIf", which this agent does not know'],
      [{ kind: 'constructor' }, 'request.kind is "constructor", which this agent does not know'],
    ] as const
    for (const [change, problem] of problems)
      expect(readRequest({ ...copyOf(sound.run), ...change })).toEqual({
        problem: `Its request is malformed: ${problem}.`,
      })
    expect(readRequest({ ...copyOf(sound.deploy), mode: 'sideways' })).toHaveProperty('problem')
    expect(readRequest({ ...copyOf(sound.deploy), isForced: false })).toHaveProperty('problem')
    expect(readRequest({ ...copyOf(sound.environment), until: 1e300 })).toHaveProperty('problem')
  })

  test('is a request or a problem whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.constantFrom(...Object.values(sound)), fc.jsonValue(), fc.nat(), (request, odd, place) => {
        const fields = Object.keys(request)
        const changed = { ...copyOf(request), [fields[place % fields.length] ?? '']: odd as Json }
        const read = readRequest(changed)
        expect('kind' in read || typeof read.problem === 'string').toBe(true)
        expect(readRequest(odd as Json)).toHaveProperty('problem')
      }),
    )
  })
})

test('Nesting has a limit that is found without recursion', () => {
  const nested = (depth: number): Json => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as Json

  expect([nestingMax, nestingMax + 2, 100_000].map((depth) => isTooDeep(nested(depth)))).toEqual([false, true, true])
})
