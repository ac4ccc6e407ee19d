import { describe, expect, test } from 'vitest'
import { isPinned, openPorts, readComposed } from './composed.ts'

function read(text: string) {
  const composed = readComposed(text)
  if (typeof composed === 'string') throw new Error(composed)
  return composed
}

describe('a composed project', () => {
  test('is read as docker-compose and as docker compose print it', () => {
    const old = read("services:\n  web: {image: 'a:1', ports: ['127.0.0.1:8001:80/tcp']}\nversion: '3.8'\n")
    const recent = read(
      'name: x\nservices:\n  web:\n    image: a:1\n    ports: [{mode: ingress, host_ip: 127.0.0.1, target: 80, published: "8001", protocol: tcp}]\n',
    )

    const web = {
      name: 'web',
      image: 'a:1',
      ports: [{ address: '127.0.0.1', published: '8001', target: '80' }],
      hasHealthCheck: false,
    }
    expect(old).toEqual({ version: '3.8', services: [web] })
    expect(recent).toEqual({ services: [web] })
  })

  test('opens ports that are not bound to loopback, in every way to write them', () => {
    const composed = read(`services:
  proxy: { image: p, ports: ['80:80', '443:443'] }
  a: { image: a, ports: ['80', '8000-8005:8000-8005/udp', '0.0.0.0:1:1', '[::]:2:2', ':::3:3'] }
  b: { image: b, ports: ['127.0.0.1:5432:5432', '[::1]:6379:6379', '127.1.2.3::90'] }
  c: { image: c, ports: [8080, { target: 9090, published: 9000 }, { target: 1, host_ip: 127.0.0.1 }] }
`)

    expect(openPorts(composed, ['proxy'])).toEqual([
      'a (any):80',
      'a 0.0.0.0:1:1',
      'a 8000-8005:8000-8005',
      'a :::2:2',
      'a :::3:3',
      'c (any):8080',
      'c 9000:9090',
    ])
    expect(openPorts(composed, [])).toContain('proxy 80:80')
  })

  test.for([
    ['{', 'Flow map'],
    ['- 1', 'not a mapping'],
    ['name: x', 'no services'],
  ])('says why %s is none', ([text = '', problem = '']) => {
    expect(readComposed(text)).toContain(problem)
  })
})

test('only a digest pins an image', () => {
  expect(['a@sha256:1', 'a:1', `a:1@sha256:${'0'.repeat(64)}`, `a@sha256:${'f'.repeat(64)}`].map(isPinned)).toEqual([
    false,
    false,
    true,
    true,
  ])
})
