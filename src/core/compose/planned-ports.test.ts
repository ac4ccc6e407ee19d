import { expect, test } from 'vitest'
import { plannedPorts } from './planned-ports.ts'

const base = `services:
  proxy: { image: p, ports: ['\${PORT:-80}:80'] }
  web: { image: w, ports: ['\${BIND-0.0.0.0}:8000:8000'] }
`

test('ports that files open are told, with the variables of the environment', () => {
  expect(plannedPorts([base], ['proxy'], {})).toEqual(['web 0.0.0.0:8000:8000'])
  expect(plannedPorts([base], [], { BIND: '127.0.0.1', PORT: '8080' })).toEqual(['proxy 8080:80'])
})

test('files that extend each other add their ports', () => {
  const more = "services:\n  db: { ports: ['5432:5432'] }\n"

  expect(plannedPorts([base, more], ['proxy', 'web'], {})).toEqual(['db 5432:5432'])
})

test('what cannot be judged from the texts is left to the host', () => {
  expect(plannedPorts([base, 'services:\n  web: { ports: !reset [] }\n'], [], {})).toEqual([])
  expect(plannedPorts(['{'], [], {})).toEqual([])
})
