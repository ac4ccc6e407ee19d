import { expect, test } from 'vitest'
import { parseProject } from './parse.ts'

/** An environment of the driver compose with these lines in `blueGreen`, from line 7 on. */
function parse(...lines: readonly string[]) {
  const text = `environments:
  production:
    driver: compose
    targets: [/srv/shop]
    compose:
      blueGreen:
${lines.map((line) => `        ${line}\n`).join('')}`
  const { value, diagnostics } = parseProject({ file: 'shipway.yml', text, folderName: 'shop' })
  const problems = diagnostics.map(({ message, range }) => `${range?.start.line ?? 0}: ${message}`)
  return { environment: value?.environments[0], problems }
}

const services = 'services: [web:3000, api:8000]'
const upstream = 'upstream: /etc/nginx/conf.d/shop.conf'

test('blue-green has defaults, and a target gives the drain its time', () => {
  const { environment, problems } = parse(services, upstream)

  expect(problems).toEqual([])
  expect(environment?.compose?.blueGreen).toEqual({
    services: [
      { name: 'web', port: 3000 },
      { name: 'api', port: 8000 },
    ],
    upstream: '/etc/nginx/conf.d/shop.conf',
    nginx: ['nginx'],
    replicas: 1,
    ports: [20_000, 20_999],
    drainWithinMs: 30_000,
    standby: false,
  })
  const later = parse(services, upstream, 'drainWithin: 90s').environment
  expect((later?.confirmWithinMs ?? 0) - (environment?.confirmWithinMs ?? 0)).toBe(60_000)
})

test('a target that would go back while it drains is told', () => {
  expect(parse(services, upstream, 'drainWithin: 2m').problems).toEqual([])
  expect(parse(services, upstream, 'drainWithin: 2m\n    confirmWithin: 2m').problems).toEqual([
    '10: "confirmWithin" (2m) is not longer than "drainWithin" (2m) and "health.within" together: targets would go back while they drain.',
  ])
})

test.for([
  [[services], 'needs "upstream"'],
  [[upstream], 'needs "services"'],
  [['services: []', upstream], '"services" is empty'],
  [['services: [web]', upstream], '7: "web" is no service with its port.'],
  [['services: [web:1, web:2]', upstream], '7: The service of "web:2" is named twice.'],
  [[services, 'upstream: conf.d/shop.conf'], '8: "conf.d/shop.conf" is no absolute path of a file.'],
  [[services, 'upstream: /etc/nginx/conf.d/'], 'is no absolute path of a file.'],
  [[services, upstream, 'nginx: []'], '9: "nginx" is no command.'],
  [[services, upstream, 'ports: 80-90'], '9: "80-90" is no range of ports.'],
  [[services, upstream, 'ports: 20000-20004'], '9: The range of ports is too short.'],
  [[services, upstream, 'replicas: 0'], '9: '],
  [[services, upstream, 'drain: 5s'], 'drain'],
] as const)('%j is told: %s', ([lines, problem]) => {
  expect(parse(...lines).problems.join('\n')).toContain(problem)
})
