import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { changedSecrets, secretVersion } from './secret-version.ts'

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

test('only secrets that both sides have and that differ are told', () => {
  const [line, ...more] = changedSecrets({ A: '1', B: '2', GONE: '3' }, { A: '1', B: '9', NEW: '4' }, 'v1.0.0')
  expect(more).toEqual([])
  expect(line).toBe(
    'secret B is version 9 now; v1.0.0 ran here with version 2, which is kept nowhere: the present one is used',
  )
})
