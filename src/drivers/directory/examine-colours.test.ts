import { describe, expect, test } from 'vitest'
import { colourDefaults } from '#core/nginx/colour.ts'
import { colourFindings } from './examine-colours.ts'

const place = {
  target: { kind: 'local', name: 'web1', path: '/srv/shop' },
  blueGreen: { ...colourDefaults, ports: [3001, 3002], start: 's', stop: 's', upstream: '/etc/nginx/shop.conf' },
} as const

function told(...lines: readonly string[]): readonly string[] {
  const answers = lines.map((line) => ({ word: line.split(' ')[0] ?? '', rest: line.split(' ').slice(1).join(' ') }))
  return colourFindings(place, answers).map(({ name, status, found, fix }) =>
    [status, `${name}: ${found}`, ...(fix === undefined ? [] : [fix])].join(' | '),
  )
}

describe('what doctor says of a host for processes in two colours', () => {
  test('everything is there, and one colour runs', () => {
    expect(told('nginx nginx/1.26.3', 'probe curl', 'port blue ours', 'port green free')).toEqual([
      'ok | nginx: nginx/1.26.3',
      'ok | health check: curl asks a colour before the switch',
      'ok | ports: 3001 (blue) runs, 3002 (green) is free',
    ])
  })

  test('a file that is not there yet is no failure, and the way to make it is told', () => {
    expect(told('nginx nginx/1.26.3', 'unwritten', 'probe wget', 'port blue free', 'port green free')[0]).toBe(
      'warn | nginx: nginx/1.26.3; /etc/nginx/shop.conf is not there yet, so the first deployment shows whether nginx includes it | Write /etc/nginx/shop.conf with `upstream NAME { server 127.0.0.1:9 down; }`, NAME as `proxy_pass` says it, and `include /etc/nginx/shop.conf;` inside of `http { … }`.',
    )
  })

  test('what is missing is told as a deployment would tell it, each with what to do', () => {
    expect(told('lacks nginx-silent /run/nginx.pid', 'probe ', 'port blue taken', 'port green taken')).toEqual([
      'fail | nginx: No nginx runs on the target web1: /run/nginx.pid names no living process. | Start nginx on the host, for example with `systemctl start nginx`, then deploy again. Nothing was switched.',
      'fail | health check: neither curl nor wget is there to ask a colour whether it is well | Install curl or wget on the host.',
      "fail | ports: 3001 (blue) is taken by something that Shipway has not started, 3002 (green) is taken by something that Shipway has not started | See on the host what it is: `ss -ltnp 'sport = :3001'` and `ss -ltnp 'sport = :3002'`. End it, or name other ports as `blueGreen.ports`.",
    ])
  })
})
