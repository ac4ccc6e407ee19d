import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { renderDiagnostic } from '#core/diagnostic.ts'
import { parseProject } from './parse.ts'
import { defaultReports } from './read-gates.ts'

const parse = (text: string) => parseProject({ file: 'shipway.yml', text, folderName: 'my shop' })
/** One environment with a line or two of interest. */
const staging = (lines: string) => `environments:\n  staging:\n    targets: [./t]\n    ${lines}\n`

describe('parseProject', () => {
  test('an empty file is a project without environments, named after its folder', () => {
    expect(parse('')).toEqual({
      value: {
        application: 'my-shop',
        release: { files: ['**'], requires: [], versions: [], reports: defaultReports },
        waivers: [],
        platforms: {},
        environments: [],
      },
      diagnostics: [],
    })
  })

  test('fills in every default', () => {
    const { value, diagnostics } = parse(
      'environments:\n  dev:\n    targets: ./dev\n    health: { url: "http://127.0.0.1:1/" }\n    approvals: {}\n',
    )

    expect(diagnostics).toEqual([])
    expect(value?.environments[0]).toEqual({
      name: 'dev',
      from: [],
      after: [],
      driver: 'directory',
      targets: [{ kind: 'local', name: './dev', path: './dev' }],
      approvals: { count: 1, from: [], notAuthor: false, expiresMs: 86_400_000 },
      health: { url: 'http://127.0.0.1:1/', withinMs: 60_000, everyMs: 1000, status: 200, successes: 1 },
      verifiedBy: [],
      retain: 5,
      confirmWithinMs: 120_000,
      auto: false,
      variables: {},
      secrets: [],
      position: { line: 2, column: 3 },
    })
  })

  test('keeps environments in the order of the file', () => {
    const { value } = parse('environments:\n  z: { targets: [./z] }\n  a: { targets: [./a], after: [z] }\n')

    expect(value?.environments.map(({ name }) => name)).toEqual(['z', 'a'])
  })

  test('keeps variables as they were written', () => {
    const { value } = parse(staging('variables: { PORT: 8080, VERSION: 1.10, ON: yes, OFF: false, HEX: 0x10 }'))

    expect(value?.environments[0]?.variables).toEqual({
      PORT: '8080',
      VERSION: '1.10',
      ON: 'yes',
      OFF: 'false',
      HEX: '0x10',
    })
  })

  test('reads targets with and without user, port, folder, name and options', () => {
    const { value, diagnostics } = parse(`environments:
  e:
    path: /srv/shared/
    targets:
      - ssh://deploy@web-1.example.org
      - ssh://web-2:2222/srv/own
      - { at: 'ssh://[::1]/x', name: six, options: [IdentityFile=~/.ssh/k, Port=22] }
      - ../beside
`)

    expect(diagnostics).toEqual([])
    expect(value?.environments[0]?.targets).toEqual([
      {
        kind: 'ssh',
        name: 'web-1.example.org',
        user: 'deploy',
        host: 'web-1.example.org',
        path: '/srv/shared',
        options: [],
      },
      { kind: 'ssh', name: 'web-2:2222', host: 'web-2', port: 2222, path: '/srv/own', options: [] },
      { kind: 'ssh', name: 'six', host: '::1', path: '/x', options: ['IdentityFile=~/.ssh/k', 'Port=22'] },
      { kind: 'local', name: '../beside', path: '../beside' },
    ])
  })

  test('follows anchors, and takes keys that begin with x- as a place for them', () => {
    const { value, diagnostics } = parse(
      'x-health: &h { url: "http://a/" }\nenvironments:\n  a: { targets: [./a], health: *h }\n  b: { targets: [./b], health: *h }\n',
    )

    expect(diagnostics).toEqual([])
    expect(value?.environments.map((environment) => environment.health?.url)).toEqual(['http://a/', 'http://a/'])
  })

  test('reports all mistakes at once, in the order of the file, each drawn at its place', () => {
    const text = `releas: {}
environments:
  staging:
    helth: { url: x }
    targets: [./t]
    after: [prod]
  production:
    targets: [./p]
    confirmWithin: 90
`
    const { value, diagnostics } = parse(text)

    expect(value).toBeUndefined()
    expect(diagnostics.map((diagnostic) => renderDiagnostic(diagnostic, text)).join('\n'))
      .toBe(`shipway.yml:1:1: error: Unknown key "releas" in the file. (CONFIG_KEY_UNKNOWN)
  1 | releas: {}
    | ^^^^^^
  help: Did you mean "release"?
shipway.yml:4:5: error: Unknown key "helth" in environment "staging". (CONFIG_KEY_UNKNOWN)
  4 |     helth: { url: x }
    |     ^^^^^
  help: Did you mean "health"?
shipway.yml:6:13: error: Environment "prod" is not defined in this file. (CONFIG_ENVIRONMENT_UNKNOWN)
  6 |     after: [prod]
    |             ^^^^
  help: Did you mean "production"?
shipway.yml:9:20: error: "confirmWithin" of environment "production" must be a duration with a unit, such as 500ms, 60s, 5m, 24h or 7d, but it is "90". (CONFIG_TYPE_WRONG)
  9 |     confirmWithin: 90
    |                    ^^
  help: Did you mean 90s?`)
  })

  test.for([
    ['a: [', 'CONFIG_YAML_INVALID', 1],
    ['name: a\nname: b\n', 'CONFIG_KEY_DUPLICATE', 2],
    ['environments:\n  a: { targets: [./a] }\n  a: { targets: [./b] }\n', 'CONFIG_KEY_DUPLICATE', 3],
    ['- a\n', 'CONFIG_TYPE_WRONG', 1],
    ['name: "a b"\n', 'CONFIG_VALUE_INVALID', 1],
    ['environments:\n  "a/b": { targets: [./a] }\n', 'CONFIG_VALUE_INVALID', 2],
    ['environments:\n  a: {}\n', 'CONFIG_KEY_MISSING', 2],
    ['environments:\n  a:\n', 'CONFIG_TYPE_WRONG', 2],
    ['environments:\n  a: { targets: [./a], after: [b] }\n  b: { targets: [./b], after: [a] }\n', 'CONFIG_CYCLE', 3],
    ['environments:\n  a: { targets: [./a], after: [a] }\n', 'CONFIG_ENVIRONMENT_UNKNOWN', 2],
    ['environments:\n  a: { targets: [] }\n', 'CONFIG_VALUE_INVALID', 2],
    [staging('driver: kubernetes'), 'CONFIG_DRIVER_LATER', 4],
    [staging('driver: kubernetesr'), 'CONFIG_VALUE_INVALID', 4],
    [staging('strategy: blue-green'), 'CONFIG_KEY_LATER', 4],
    [staging('gates: { coverage: 101 }'), 'CONFIG_VALUE_INVALID', 4],
    [staging('gates: { coverage: [80] }'), 'CONFIG_TYPE_WRONG', 4],
    [staging('gates: { vulnerabilities: { block: [awful] } }'), 'CONFIG_VALUE_INVALID', 4],
    ['waivers:\n  - { id: CVE-1, reason: why, expires: soon }\n', 'CONFIG_VALUE_INVALID', 2],
    ['waivers:\n  - { id: CVE-1, expires: 2026-01-01 }\n', 'CONFIG_KEY_MISSING', 2],
    ['waivers: { id: CVE-1 }\n', 'CONFIG_TYPE_WRONG', 1],
    [staging('health: { url: "ftp://a" }'), 'CONFIG_URL_INVALID', 4],
    [staging('health: { url: "http://u:p@a/" }'), 'CONFIG_URL_INVALID', 4],
    [staging('health: { url: "http://a:${{ target.name }}/" }'), 'CONFIG_URL_INVALID', 4],
    [staging('health: { within: 5s }'), 'CONFIG_KEY_MISSING', 4],
    [staging('health: { url: "http://a", contains: "${{ secrets.X }}" }'), 'CONFIG_VALUE_INVALID', 4],
    [staging('health: { url: "http://a", within: 2s, every: 3s }'), 'CONFIG_VALUE_INVALID', 4],
    [staging('health: { url: "http://a", within: 2m }\n    confirmWithin: 1m'), 'CONFIG_VALUE_INVALID', 5],
    [staging('from: ["v[1"]'), 'CONFIG_PATTERN_INVALID', 4],
    [staging('from: ["../x"]'), 'CONFIG_PATTERN_INVALID', 4],
    [staging('auto: "yes"'), 'CONFIG_TYPE_WRONG', 4],
    [staging('retain: 1'), 'CONFIG_VALUE_INVALID', 4],
    [staging('approvals: { count: 3, from: [ann, bob, ann] }'), 'CONFIG_VALUE_INVALID', 4],
    [staging('secrets: [A]\n    variables: { A: b }'), 'CONFIG_VALUE_INVALID', 4],
    [staging('secrets: ["s3cret value"]'), 'CONFIG_VALUE_INVALID', 4],
    [staging('variables: { "1A": b }'), 'CONFIG_VALUE_INVALID', 4],
    [staging(`variables: { A: ${'b'.repeat(48 * 1024 + 1)} }`), 'CONFIG_VALUE_INVALID', 4],
    [staging('url: javascript:alert(1)'), 'CONFIG_URL_INVALID', 4],
    ['release: { files: ["!a"] }\n', 'CONFIG_VALUE_INVALID', 1],
    ['release: { artifact: "../x" }\n', 'CONFIG_VALUE_INVALID', 1],
  ] as const)('%j is refused as %s in line %i', ([text, code, line]) => {
    const { value, diagnostics } = parse(text)

    expect(value).toBeUndefined()
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ code, range: expect.objectContaining({ start: expect.objectContaining({ line }) }) }),
    )
  })

  test.for([
    ['ssh://-oProxyCommand=x/srv', 'no host name'],
    ['ssh://host', 'no folder'],
    ['ssh://u:secret@host/srv', 'password'],
    ['ssh://host:99999/srv', 'no port'],
    ['ssh://host/srv/../etc', 'without ".."'],
    ['https://host/srv', '"https" does not exist'],
    ['host:/srv', 'begins with'],
    ['/', 'root of the file system'],
  ] as const)('the target %s is refused: %s', ([target, says]) => {
    const { diagnostics } = parse(`environments:\n  a: { targets: ['${target}'] }\n`)

    expect(diagnostics).toEqual([
      expect.objectContaining({ code: 'CONFIG_TARGET_INVALID', message: expect.stringContaining(says) }),
    ])
  })

  test.for([
    'ProxyCommand=nc x',
    'LocalCommand=rm',
    'PermitLocalCommand=yes',
    'StrictHostKeyChecking=no',
    'KnownHostsCommand=x',
    'IdentityFile',
  ])('the ssh option %s is refused', (option) => {
    const { diagnostics } = parse(
      `environments:\n  a:\n    targets:\n      - { at: 'ssh://h/srv', options: ['${option}'] }\n`,
    )

    expect(diagnostics).toEqual([expect.objectContaining({ code: 'CONFIG_TARGET_INVALID' })])
  })

  test('two targets at one place, or of one name, are refused', () => {
    expect(parse('environments:\n  a: { targets: [./t, ./t/] }\n').diagnostics).toEqual([
      expect.objectContaining({ code: 'CONFIG_TARGET_DUPLICATE' }),
    ])
    expect(parse('environments:\n  a: { targets: ["ssh://h/a", "ssh://h/b"] }\n').diagnostics).toEqual([
      expect.objectContaining({ code: 'CONFIG_TARGET_DUPLICATE' }),
    ])
  })

  test('a file that is too large is refused before it is read', () => {
    expect(parse('#'.repeat(300_000)).diagnostics).toEqual([expect.objectContaining({ code: 'CONFIG_TOO_LARGE' })])
  })

  test('never throws, and gives a value exactly when nothing is an error', () => {
    const word = fc.constantFrom(
      'name',
      'environments',
      'staging',
      'targets',
      'health',
      'url',
      'after',
      '60s',
      './t',
      '*a',
      '&a',
      '{',
      '}',
      '[',
      ']',
      ':',
      '- ',
      '\n',
      '\n  ',
      '\n    ',
      ', ',
      '"',
      '|',
      '#',
      '<<',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word).map((words) => words.join('')),
          fc.string({ unit: 'binary' }),
        ),
        (text) => {
          const { value, diagnostics } = parse(text)
          expect(value === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'))
          for (const { range } of diagnostics) expect(range.start.line).toBeGreaterThan(0)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('the database of an environment', () => {
  const messages = (database: string): readonly string[] =>
    parseProject({
      file: 'shipway.yml',
      text: `environments: { live: { targets: [{ at: ./t, name: one }], database: ${database} } }`,
      folderName: 'shop',
    }).diagnostics.map(({ message }) => message)

  test.for<readonly [string, readonly string[]]>([
    ['DATABASE_URL', []],
    ['{ service: shop, on: local, container: db, keep: 3, before: deploy }', []],
    ['{ url: DATABASE_URL, on: one }', []],
    ['{ keep: 3 }', ['"database" says not where it is.']],
    ['{ url: A, service: b }', ['"database" has "url" and "service" at once.']],
    ["'postgres://app:secret@db/shop'", ['"database.url" is no name of a secret.']],
    ['{ url: A, container: --privileged }', ['"--privileged" is no name.']],
    ['{ url: A, on: two }', ['Environment "live" has no target "two".']],
  ])('%s', ([database, expected]) => {
    expect(messages(database)).toEqual(expected)
  })
})
