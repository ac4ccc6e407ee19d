import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isEcr, isLoopback, readReference, registryOfLogin, registryOrigin, tagOf } from './reference.ts'

describe('a name of an image', () => {
  test.each([
    ['ghcr.io/Acme/Backend', 'ghcr.io/acme/backend', 'ghcr.io', 'acme/backend', undefined],
    ['ghcr.io/acme/backend:1.4.2', 'ghcr.io/acme/backend', 'ghcr.io', 'acme/backend', '1.4.2'],
    ['127.0.0.1:5000/app:main', '127.0.0.1:5000/app', '127.0.0.1:5000', 'app', 'main'],
    ['localhost/app', 'localhost/app', 'localhost', 'app', undefined],
    ['[::1]:5000/a/b', '[::1]:5000/a/b', '[::1]:5000', 'a/b', undefined],
    ['acme/app', 'acme/app', undefined, 'acme/app', undefined],
    ['postgres:16', 'postgres', undefined, 'library/postgres', '16'],
    ['docker.io/acme/app', 'docker.io/acme/app', undefined, 'acme/app', undefined],
  ])('%s', (text, name, registry, path, tag) => {
    expect(readReference(text)).toEqual({ name, registry, path, tag })
  })

  test.each(['', 'a//b', '-a', 'acme/app:', 'acme/app:a b', 'reg!stry.io/a', 'a@sha256:00', 'a/b/', 'a'.repeat(256)])(
    'is not "%s"',
    (text) => {
      expect(readReference(text)).toBeTypeOf('string')
    },
  )

  test('is read without an exception, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        void readReference(text)
      }),
    )
  })
})

describe('a tag of any text', () => {
  test.each([
    ['feature/Login form', 'feature-Login-form'],
    ['1.4.2+build.5', '1.4.2-build.5'],
    ['.-hidden', 'hidden'],
    ['...', undefined],
    ['', undefined],
  ])('%s is %s', (text, tag) => {
    expect(tagOf(text)).toBe(tag)
  })

  test('is one that a registry takes', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const tag = tagOf(text)
        if (tag !== undefined) expect(readReference(`app:${tag}`)).toMatchObject({ tag })
      }),
    )
  })
})

test('passwords travel without TLS to loopback alone', () => {
  expect(['127.0.0.1:5000', 'localhost', '[::1]:1', '127.1.2.3'].map(isLoopback)).toEqual([true, true, true, true])
  for (const far of ['127.0.0.1.example.org', 'localhost.example.org', '10.0.0.1', 'registry:5000'])
    expect(registryOrigin(far)).toBe(`https://${far}`)
  expect(registryOrigin('127.0.0.1:5000')).toBe('http://127.0.0.1:5000')
  expect(registryOrigin(undefined)).toBe('https://registry-1.docker.io')
})

test('a login is for a registry, however it is written', () => {
  expect(['', 'docker.io', 'https://index.docker.io/v1/'].map(registryOfLogin)).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(['https://ghcr.io', 'ghcr.io/', '127.0.0.1:5000'].map(registryOfLogin)).toEqual([
    'ghcr.io',
    'ghcr.io',
    '127.0.0.1:5000',
  ])
  expect(isEcr('123456789012.dkr.ecr.eu-west-1.amazonaws.com')).toBe(true)
  expect(isEcr('ghcr.io')).toBe(false)
})
