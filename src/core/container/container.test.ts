import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mountArguments, passVariables, registryOf } from './docker-argv.ts'
import { pathMap } from './path-map.ts'
import { parseContainer } from './spec.ts'
import { splitWords } from './words.ts'

describe('words of a command line', () => {
  test.each([
    ['', []],
    ['  one   two ', ['one', 'two']],
    [`--health-cmd "redis-cli ping" --cpus 1`, ['--health-cmd', 'redis-cli ping', '--cpus', '1']],
    [`a'b c'd "" ''`, ['ab cd', '', '']],
    [String.raw`"say \"hi\" \n" '\n' a\ b`, [String.raw`say "hi" \n`, String.raw`\n`, 'a b']],
    ['one \\\ntwo', ['one', 'two']],
    ['$HOME | grep x', ['$HOME', '|', 'grep', 'x']],
    [`"no end`, undefined],
  ] as const)('%j are %j', (text, words) => {
    expect(splitWords(text)).toEqual(words)
  })

  test('come back as they were when each is quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        const quoted = words.map((word) => `'${word.replaceAll("'", `'"'"'`)}'`).join(' ')
        expect(splitWords(quoted)).toEqual(words)
      }),
    )
  })
})

describe('a container as it is written', () => {
  test.each([
    ['debian:12', { image: 'debian:12' }],
    ['docker://debian:12', { image: 'debian:12' }],
    [
      { image: 'pg', ports: [5432, '80:8080/tcp', '0.0.0.0:1:1'] },
      { ports: ['127.0.0.1::5432', '127.0.0.1:80:8080/tcp', '0.0.0.0:1:1'] },
    ],
    [
      { image: 'pg', env: { A: 1, B: true }, volumes: ['/a:/b:ro'] },
      { env: { A: '1', B: 'true' }, volumes: ['/a:/b:ro'] },
    ],
    [{ image: 'pg', credentials: { username: '', password: '' } }, { image: 'pg' }],
  ] as const)('%j gives %j', (written, spec) => {
    expect(parseContainer(written, 'container')).toMatchObject(spec)
  })

  test.each([['', null, { image: '' }, { image: ' ', env: { A: 'b' } }]] as const)(
    'without an image is none',
    (...written) => {
      expect(written.map((value) => parseContainer(value, 'container'))).toEqual(written.map(() => undefined))
    },
  )

  test.each([
    [{ image: 'x', options: '--entrypoint sh' }, /cannot have --entrypoint/],
    [{ image: 'x', options: '--net=host' }, /cannot have --net=host/],
    [{ image: 'x', options: '"open' }, /quote without an end/],
    [{ image: 'x', env: ['A=b'] }, /"container.env" must be a mapping/],
    [{ image: ['x'] }, /"container.image" must be a text/],
  ] as const)('%j is refused', (written, message) => {
    expect(() => parseContainer(written, 'container')).toThrow(message)
  })
})

describe('variables for a container', () => {
  test('never stand in the argument list, and never change the docker program itself', () => {
    const passed = passVariables({
      TOKEN: 's3cret',
      'INPUT_A-B': 'x\ny',
      DOCKER_HOST: 'tcp://evil',
      LD_PRELOAD: '/x',
      PATH: '/bin',
    })

    expect(passed.args).toEqual(['--env', 'TOKEN', '--env', 'INPUT_A-B', '--env', 'PATH=/bin'])
    expect(passed.env).toEqual({ TOKEN: 's3cret', 'INPUT_A-B': 'x\ny' })
    expect(passed.fileLines).toEqual(['DOCKER_HOST=tcp://evil', 'LD_PRELOAD=/x'])
    expect(() => passVariables({ DOCKER_CONFIG: 'a\nb' })).toThrow('DOCKER_CONFIG has several lines')
  })
})

test('paths are translated by the deepest mount around them, and back', () => {
  const paths = pathMap([
    { outside: '/home/job/temp', inside: '/__w/_temp' },
    { outside: '/home/job/temp/_github_home', inside: '/github/home' },
  ])
  for (const [outside, inside] of [
    ['/home/job/temp/a', '/__w/_temp/a'],
    ['/home/job/temp', '/__w/_temp'],
    ['/home/job/temp/_github_home/.npmrc', '/github/home/.npmrc'],
    ['/home/job/temporary', '/home/job/temporary'],
  ] as const) {
    expect([paths.inside(outside), paths.outside(inside)]).toEqual([inside, outside])
  }
})

test('a mount of a path with commas is one field, and the registry is the part of an image that looks like a host', () => {
  expect(mountArguments([{ outside: '/a,b', inside: '/c', readOnly: true }])).toEqual([
    '--mount',
    'type=bind,"source=/a,b",target=/c,readonly',
  ])
  expect(['debian', 'acme/app', 'ghcr.io/a/b', 'localhost/x', '127.0.0.1:5000/x'].map(registryOf)).toEqual([
    undefined,
    undefined,
    'ghcr.io',
    'localhost',
    '127.0.0.1:5000',
  ])
})
