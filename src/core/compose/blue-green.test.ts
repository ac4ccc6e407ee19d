import { expect, test } from 'vitest'
import { blueGreenDefaults, blueGreenObstacles, parseBlueGreenService, parsePortRange } from './blue-green.ts'
import { readComposed } from './composed.ts'

test.for([
  ['web:3000', { name: 'web', port: 3000 }],
  ['my_api.v2:80', { name: 'my_api.v2', port: 80 }],
  ['web', undefined],
  ['web:', undefined],
  ['web:0', undefined],
  ['web:70000', undefined],
  ['8080:web', undefined],
  ['web:80:80', undefined],
  ['we b:80', undefined],
  ['$(id):80', undefined],
] as const)('%s is a service with its port: %o', ([text, service]) => {
  expect(parseBlueGreenService(text)).toEqual(service)
})

test.for([
  ['20000-20999', [20_000, 20_999]],
  ['80-90', undefined],
  ['2000-1999', undefined],
  ['60000-70000', undefined],
  ['20000', undefined],
] as const)('%s is a range of ports: %o', ([text, range]) => {
  expect(parsePortRange(text)).toEqual(range)
})

test.for([
  ['{ image: a }', []],
  ["{ image: a, ports: ['3000'] }", []],
  ["{ image: a, ports: ['127.0.0.1::3000'] }", []],
  ["{ image: a, ports: ['8080:3000'] }", ['web publishes the port 8080, which only one can have']],
  ['{ image: a, container_name: mine }', ['web has the container_name mine, which only one can have']],
  ['{ image: a, network_mode: host }', ['web has the network_mode host, so no port of it can be published']],
] as const)('a service %s cannot be there twice because of %o', ([service, obstacles]) => {
  const composed = readComposed(`services:\n  web: ${service}\n  db: { image: d, ports: ['1:1'] }\n`)
  if (typeof composed === 'string') throw new Error(composed)
  const config = { ...blueGreenDefaults, services: [{ name: 'web', port: 3000 }], upstream: '/etc/nginx/u.conf' }

  expect(blueGreenObstacles(config, composed)).toEqual(obstacles)
  expect(blueGreenObstacles({ ...config, services: [{ name: 'api', port: 1 }] }, composed)).toEqual([
    'api is not one of the services',
  ])
})
