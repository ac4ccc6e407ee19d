import { describe, expect, test } from 'vitest'
import { parseProject } from './parse.ts'

/** An environment of the driver `webhook`; lines of YAML. */
function parse(target: string, ...webhook: readonly string[]) {
  const text = `environments:
  production:
    driver: webhook
    targets: ['${target}']
    webhook: { ${webhook.join(', ')} }
`
  const { value, diagnostics } = parseProject({ file: 'shipway.yml', text, folderName: 'web' })
  const [first] = value?.environments[0]?.targets ?? []
  return { target: first, problems: diagnostics.map(({ code, message, severity }) => `${severity} ${code} ${message}`) }
}

describe('a target behind a webhook', () => {
  test.for([
    ['https://coolify.example.org/api/v1/deploy?uuid=app1&force=true', true],
    ['https://coolify.example.org/api/v1', false],
    ['https://coolify.example.org/', false],
  ] as const)('of Coolify may be written as %s', ([at, force]) => {
    const { target, problems } = parse(at, 'kind: coolify', 'application: app1', 'token: TOKEN')

    expect(problems).toEqual([])
    expect(target).toMatchObject({
      kind: 'webhook',
      name: 'coolify.example.org/app1',
      url: 'https://coolify.example.org/api/v1',
      call: { kind: 'coolify', application: 'app1', token: 'TOKEN', force, withinMs: 600_000, everyMs: 5000 },
    })
  })

  test.for([
    ['https://c.example.org', ['kind: coolify'], 'names no application'],
    ['https://c.example.org/?uuid=a%2Fb', ['kind: coolify'], 'is no uuid'],
    ['https://me:secret@c.example.org', [], 'a password cannot stand in a target'],
    ['ssh://c.example.org/srv', [], 'called by https://'],
    ['./folder', [], 'is an address'],
    ['https://c.example.org/${{ secrets.KEY }}', [], 'address of a target is fixed'],
    ['https://c.example.org', ["headers: ['no header']"], 'is no header'],
    ['https://c.example.org', ["headers: ['X: ${{ secret.KEY }}']"], 'has no value here'],
    ['https://c.example.org', ["body: '${{ answer/id }}'"], 'has no value here'],
    [
      'https://c.example.org',
      ["status: { url: 'https://c.example.org/x', pointer: state, success: [a], failure: [b] }"],
      'begins with "/"',
    ],
    [
      'https://c.example.org',
      ["status: { url: 'ftp://c.example.org/x', pointer: /state, success: [a], failure: [b] }"],
      'cannot be asked',
    ],
    ['https://c.example.org', ["status: { url: 'https://c.example.org/x', pointer: /s }"], 'needs "success"'],
  ] as const)('%s with %s is refused', ([at, webhook, problem]) => {
    expect(parse(at, ...webhook).problems.join('\n')).toContain(problem)
  })

  test('a token that would travel in the open is warned of, but not on this machine', () => {
    expect(parse('http://c.example.org', 'token: TOKEN').problems).toEqual([
      expect.stringMatching(/^warning CONFIG_TOKEN_UNENCRYPTED .*http:\/\/c\.example\.org/),
    ])
    expect(parse('http://c.example.org').problems).toEqual([])
    expect(parse('http://127.0.0.1:8000', 'token: TOKEN').problems).toEqual([])
  })

  test('"webhook" beside another driver is a mistake', () => {
    const text = 'environments:\n  staging: { targets: [./a], webhook: { kind: coolify } }\n'
    const { diagnostics } = parseProject({ file: 'shipway.yml', text, folderName: 'web' })

    expect(diagnostics).toMatchObject([{ message: '"webhook" says nothing to this driver.' }])
  })
})
