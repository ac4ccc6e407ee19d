import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { keepSecrets, secretVersion, settleSecrets } from './secret-version.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const secret = { application: 'shop', environment: 'live', name: 'PASSWORD', value: '1234' }
const version = (more: Partial<typeof secret> = {}, key = 'k'.repeat(64)) =>
  secretVersion(sha256, key, { ...secret, ...more })

test('the same value has the same version, and every other value, name, place or key another one', () => {
  expect(version()).toMatch(/^[0-9a-f]{12}$/)
  expect(version({})).toBe(version())
  const others = [
    version({ value: '1235' }),
    version({ name: 'PASSWORD2' }),
    version({ environment: 'staging' }),
    version({ application: 'api' }),
    version({}, 'l'.repeat(64)),
    // What one part ends with cannot pass for what the next begins with.
    version({ name: 'PASSWORD1', value: '234' }),
  ]
  expect(new Set([version(), ...others]).size).toBe(others.length + 1)
})

test('no version follows from the value alone: whoever has no key finds no short password', () => {
  const guesses = [sha256('1234'), sha256(JSON.stringify(['shop', 'live', 'PASSWORD', '1234']))]
  for (const guess of guesses) expect(guess.startsWith(version())).toBe(false)
})

const settle = (more: Partial<Parameters<typeof settleSecrets>[0]>) =>
  settleSecrets({
    isRollback: true,
    release: 'v1.0.0',
    sealed: ['A', 'B'],
    before: { B: '2' },
    now: { B: '9' },
    former: { B: { 2: { value: 'two' } } },
    ...more,
  })

test('a rollback brings back what is kept and not revoked, and says what becomes of the rest', () => {
  const said = (more: Partial<Parameters<typeof settleSecrets>[0]>) => {
    const { restored, lines } = settle(more)
    return { restored: restored['B'], line: lines.join('|') }
  }
  const revoked = { by: 'ada', at: 0, reason: 'it leaked' }
  expect(said({})).toEqual({ restored: '2', line: 'secret B goes back to version 2, with which v1.0.0 ran here' })
  expect(said({ now: {} }).restored).toBe('2')
  expect(said({ former: { B: { 2: { revoked } } } })).toEqual({
    restored: undefined,
    line: 'secret B is version 9 now; v1.0.0 ran here with version 2, which was revoked by ada (it leaked): the present one is used',
  })
  expect(said({ former: { B: { 1: { value: 'one' } } } })).toEqual({
    restored: undefined,
    line: 'secret B is version 9 now; v1.0.0 ran here with version 2, which is not kept: the present one is used',
  })
  // What opens the way to the targets, and what a deployment brings, is the present one.
  expect(said({ sealed: ['A'] }).restored).toBeUndefined()
  expect(said({ isRollback: false })).toEqual({
    restored: undefined,
    line: 'secret B is version 9 now; v1.0.0 ran here with version 2: a deployment uses the present one',
  })
  // Nothing to tell of what is the same, new, or needed no more.
  expect(settle({ before: { A: '1', GONE: '3' }, now: { A: '1', NEW: '4' } })).toEqual({ restored: {}, lines: [] })
})

test('a home keeps the versions that a release could need, and no value of a revoked one', () => {
  const known = { A: { 1: { value: 'one' }, 2: { value: 'two' }, 3: { revoked: { by: 'ada', at: 0 } } } }
  const given = { values: { A: 'three', B: 'b', C: 'c' }, versions: { A: '3', B: '7', C: '8' } }

  expect(keepSecrets(known, given, [{ A: '2', B: '7' }, { A: '3' }])).toEqual({
    A: { 2: { value: 'two' }, 3: { revoked: { by: 'ada', at: 0 } } },
    B: { 7: { value: 'b' } },
  })
  expect(keepSecrets(known, given, [])).toEqual({})
})
