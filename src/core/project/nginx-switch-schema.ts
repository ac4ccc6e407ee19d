import type { Fields } from './field.ts'

const minute = 60_000

/** Keys that every group `blueGreen` has: how nginx is switched. */
export const nginxSwitchFields = {
  upstream: {
    spec: { kind: 'text', example: '/etc/nginx/conf.d/shop-upstream.conf' },
    help: 'File on the hosts that nginx includes at the level http. It is written whole: an "upstream" with the addresses of what is served, to be named in proxy_pass. With the driver compose it is called PROJECT-SERVICE, one for each service; else as "name" says. "${{ target.name }}" is replaced.',
    required: true,
  },
  nginx: {
    spec: { kind: 'texts', example: 'nginx' },
    help: 'How nginx is called, word by word: [sudo, -n, nginx]. Used with -t, -T, -V and "-s reload". Default: nginx.',
  },
  drainWithin: {
    spec: { kind: 'duration', minMs: 1000, maxMs: 60 * minute },
    help: 'How long requests that were under way at the switch may take before what answers them is stopped. Default: 30s.',
  },
  standby: {
    spec: { kind: 'boolean' },
    help: 'What was left runs on until the next deployment, so that a rollback only switches nginx. Default: false.',
  },
} as const satisfies Fields
