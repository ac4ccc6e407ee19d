import { expect, test } from 'vitest'
import { parseProject } from './parse.ts'

/** An environment with these lines in `blueGreen`, from line 5 on. */
function parse(...lines: readonly string[]) {
  const text = `environments:
  production:
    targets: [/srv/shop]
    blueGreen:
${lines.map((line) => `      ${line}\n`).join('')}`
  return read(text)
}

function read(text: string) {
  const { value, diagnostics } = parseProject({ file: 'shipway.yml', text, folderName: 'shop' })
  const problems = diagnostics.map(({ message, range }) => `${range?.start.line ?? 0}: ${message}`)
  return { environment: value?.environments[0], problems }
}

const ports = 'ports: [3001, 3002]'
const start = 'start: systemctl --user restart "shop@$SHIPWAY_COLOUR"'
const stop = 'stop: systemctl --user stop "shop@$SHIPWAY_COLOUR"'
const upstream = 'upstream: /etc/nginx/conf.d/shop.conf'

test('processes in two colours have defaults, and a target gives their start and the drain its time', () => {
  const { environment, problems } = parse(ports, start, stop, upstream)

  expect(problems).toEqual([])
  expect(environment?.blueGreen).toEqual({
    ports: [3001, 3002],
    start: 'systemctl --user restart "shop@$SHIPWAY_COLOUR"',
    stop: 'systemctl --user stop "shop@$SHIPWAY_COLOUR"',
    health: '/',
    healthWithinMs: 60_000,
    upstream: '/etc/nginx/conf.d/shop.conf',
    nginx: ['nginx'],
    drainWithinMs: 30_000,
    standby: false,
  })
  const later = parse(ports, start, stop, upstream, 'drainWithin: 90s', 'healthWithin: 70s').environment
  expect((later?.confirmWithinMs ?? 0) - (environment?.confirmWithinMs ?? 0)).toBe(70_000)
})

test.for([
  [[start, stop, upstream], 'needs "ports"'],
  [[ports, stop, upstream], 'needs "start"'],
  [[ports, start, upstream], 'needs "stop"'],
  [[ports, start, stop], 'needs "upstream"'],
  [['ports: [3001]', start, stop, upstream], '5: "3001" are not two ports.'],
  [['ports: [3001, 3001]', start, stop, upstream], '5: "3001, 3001" are not two ports.'],
  [['ports: [3001, 70000]', start, stop, upstream], 'are not two ports'],
  [['ports: [1, 2, 3]', start, stop, upstream], 'are not two ports'],
  [[ports, "start: ' '", stop, upstream], '"blueGreen.start" of environment "production" must be a text'],
  [[ports, start, stop, upstream, 'health: health'], '9: "health" is no path of an address.'],
  [[ports, start, stop, upstream, 'health: "/a b"'], 'is no path of an address.'],
  [[ports, start, stop, upstream, 'name: Shop!'], '9: "Shop!" is no name for a group of servers.'],
  [[ports, start, stop, 'upstream: shop.conf'], '8: "shop.conf" is no absolute path of a file.'],
  [[ports, start, stop, upstream, 'services: [web:3000]'], 'services'],
] as const)('%j is told: %s', ([lines, problem]) => {
  expect(parse(...lines).problems.join('\n')).toContain(problem)
})

test('another driver is told where it has its own', () => {
  const { problems } = read(`environments:
  production:
    driver: compose
    targets: [/srv/shop]
    blueGreen: { ${[ports, `start: 'true'`, `stop: 'true'`, upstream].join(', ')} }
`)
  expect(problems).toEqual([
    '5: "blueGreen" here is for the driver directory, and this environment has the driver "compose".',
  ])
})
