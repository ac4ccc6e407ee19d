import type { Fields } from './field.ts'
import { nginxSwitchFields } from './nginx-switch-schema.ts'

const minute = 60_000

/** Keys of `blueGreen` of an environment of the driver directory. */
export const colourFields = {
  ports: {
    spec: { kind: 'texts', example: '3001' },
    help: 'The two ports on loopback that the processes listen at: of blue and of green, as [3001, 3002].',
    required: true,
  },
  start: {
    spec: { kind: 'text', example: 'systemctl --user restart "shop@$SHIPWAY_COLOUR"' },
    help: "Command for the target's sh that starts one colour, in the new release's folder, with SHIPWAY_COLOUR and SHIPWAY_PORT. It returns while the processes run on.",
    required: true,
  },
  stop: {
    spec: { kind: 'text', example: 'systemctl --user stop "shop@$SHIPWAY_COLOUR"' },
    help: 'Command that stops one colour in the same way. It is called after the old workers of nginx are gone and the release is confirmed.',
    required: true,
  },
  health: {
    spec: { kind: 'text', example: '/health' },
    help: 'Path that a colour must answer with success at its port before nginx is switched to it. Default: /.',
  },
  healthWithin: {
    spec: { kind: 'duration', minMs: 1000, maxMs: 60 * minute },
    help: 'How long a colour may take until then. Default: 60s.',
  },
  name: {
    spec: { kind: 'text', example: 'shop-production' },
    help: 'Name of the "upstream", for proxy_pass. Default: made of application and environment. "${{ target.name }}" is replaced.',
  },
  ...nginxSwitchFields,
} as const satisfies Fields
