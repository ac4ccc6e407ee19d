import { expect, test } from 'vitest'
import { nginxConfigRefused } from './nginx.ts'

test('what nginx has against its configuration is told, not that it has something against it', () => {
  const why = '2026/01/01 00:00:00 [emerg] 7#7: host not found in upstream "web" in /etc/nginx/nginx.conf:5'
  const details = [why, 'nginx: configuration file /etc/nginx/nginx.conf test failed']
  const error = nginxConfigRefused({ target: 'a', file: '/etc/nginx/conf.d/up.conf', details })

  expect(error.message).toContain('host not found in upstream "web"')
  expect(error.hint).toContain('/etc/nginx/conf.d/up.conf')
  expect(nginxConfigRefused({ target: 'a', file: '/x', details: ['only this'] }).message).toContain('only this')
  expect(nginxConfigRefused({ target: 'a', file: '/x', details: [] }).message).toContain('does not say why')
})
