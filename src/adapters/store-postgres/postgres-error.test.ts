import { describe, expect, test } from 'vitest'
import { judge, knownPostgresError } from './postgres-error.ts'

/** An error as the server sends it. */
function fromServer(code: string): Error {
  return Object.assign(new Error(`server says ${code}`), { severity: 'ERROR', code })
}

const cut = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })
const nameless = new Error('Connection terminated unexpectedly')

describe('What a failure of PostgreSQL means', () => {
  test.for([
    ['a deadlock', fromServer('40P01'), 'working', 'again'],
    ['a serialization failure at the commit', fromServer('40001'), 'committing', 'again'],
    ['a shutdown while connecting', fromServer('57P03'), 'connecting', 'reconnect'],
    ['a shutdown before the commit', fromServer('57P01'), 'working', 'reconnect'],
    ['a shutdown during the commit', fromServer('57P01'), 'committing', 'unknown'],
    ['no connection left', fromServer('53300'), 'connecting', 'reconnect'],
    ['a transaction that slept too long', fromServer('25P03'), 'working', 'final'],
    ['a cut before the commit', cut, 'working', 'reconnect'],
    ['a cut during the commit', cut, 'committing', 'unknown'],
    ['a cut without a code', nameless, 'working', 'reconnect'],
    ['a unique violation', fromServer('23505'), 'working', 'final'],
    ['a unique violation at the commit', fromServer('23505'), 'committing', 'final'],
    ['a statement that took too long', fromServer('57014'), 'working', 'final'],
    ['a mistake of ours', new TypeError('x is not a function'), 'working', 'final'],
    ['an error of the caller', cut, 'refused', 'final'],
  ] as const)('%s → %4$s', ([, error, phase, verdict]) => {
    expect(judge(error, phase)).toBe(verdict)
  })

  test.for([
    [fromServer('53100'), 'STORE_DISK_FULL'],
    [fromServer('28P01'), 'STORE_ACCESS_REFUSED'],
    [fromServer('3D000'), 'STORE_ACCESS_REFUSED'],
    [fromServer('42501'), 'STORE_ACCESS_REFUSED'],
    [fromServer('57P03'), 'STORE_UNREACHABLE'],
    [cut, 'STORE_UNREACHABLE'],
    [fromServer('23505'), undefined],
    [new TypeError('x is not a function'), undefined],
  ] as const)('%s → %s', ([error, code]) => {
    expect(knownPostgresError(error, 'postgres://h/d')?.code).toBe(code)
  })
})
