import { cancelMethods, webhookMethods } from '#core/webhook/model.ts'
import type { Fields } from './field.ts'

const second = 1000
const day = 24 * 60 * 60 * second

const questionFields = {
  url: {
    spec: { kind: 'text', example: 'https://deploy.example.org/jobs/${{ answer/id }}' },
    help: 'Asked with GET. "${{ answer/POINTER }}" is a value of the answer to the call.',
    required: true,
  },
  pointer: {
    spec: { kind: 'text', example: '/status' },
    help: 'JSON pointer (RFC 6901) to the value in the answer.',
    required: true,
  },
} as const satisfies Fields

/** Keys of `webhook:` of an environment. */
export const webhookFields = {
  kind: {
    spec: { kind: 'choice', of: ['coolify', 'generic'], later: [] },
    help: 'Whose API it is. Default: generic.',
  },
  token: {
    spec: { kind: 'text', example: 'COOLIFY_TOKEN' },
    help: 'Name of the secret that is sent as "Authorization: Bearer".',
  },
  within: {
    spec: { kind: 'duration', minMs: second, maxMs: day },
    help: 'How long a deployment of the platform may take. Default: 10m.',
  },
  every: {
    spec: { kind: 'duration', minMs: 10, maxMs: 600 * second },
    help: 'Time between two questions how far it is. Default: 5s.',
  },
  application: {
    spec: { kind: 'text', example: 'yoows40k844kc8w880ks48o0' },
    help: "Coolify: uuid of the application, where the target's address does not name it.",
  },
  tag: {
    spec: { kind: 'text', example: '${{ release.version }}' },
    help: 'Coolify: image tag that the application is set to before it is deployed.',
  },
  branch: {
    spec: { kind: 'text', example: '${{ release.ref }}' },
    help: 'Coolify: git branch that the application is set to before it is deployed.',
  },
  commit: {
    spec: { kind: 'text', example: '${{ release.sha }}' },
    help: 'Coolify: git commit that the application is set to before it is deployed.',
  },
  force: { spec: { kind: 'boolean' }, help: 'Coolify: build without its cache. Default: false.' },
  method: {
    spec: { kind: 'choice', of: webhookMethods, later: [] },
    help: 'Generic: how the target is called. Default: POST.',
  },
  headers: {
    spec: { kind: 'texts', example: 'X-Api-Key: ${{ secrets.DEPLOY_KEY }}' },
    help: 'Generic: headers as "Name: value".',
  },
  body: {
    spec: { kind: 'text', example: '{"version":"${{ release.version }}"}' },
    help: 'Generic: body of the call; values are quoted when it is JSON.',
  },
  status: {
    spec: {
      kind: 'group',
      fields: {
        ...questionFields,
        success: { spec: { kind: 'texts', example: 'finished' }, help: 'Values that mean done.', required: true },
        failure: { spec: { kind: 'texts', example: 'failed' }, help: 'Values that mean failed.', required: true },
      },
    },
    help: 'Generic: where to ask how far it is. Default: an answer of the 200s counts as done.',
  },
  cancel: {
    spec: {
      kind: 'group',
      fields: {
        url: {
          spec: { kind: 'text', example: 'https://deploy.example.org/jobs/${{ answer/id }}/cancel' },
          help: 'Called when nobody waits for the deployment any more. "${{ answer/POINTER }}" is a value of the answer to the call.',
          required: true,
        },
        method: { spec: { kind: 'choice', of: cancelMethods, later: [] }, help: 'Default: POST.' },
      },
    },
    help: 'Generic: how a deployment that goes on is cancelled; needs "status". Default: it cannot be, and may still end after a stop.',
  },
  current: {
    spec: { kind: 'group', fields: questionFields },
    help: 'Generic: where the platform tells the version that runs.',
  },
} as const satisfies Fields
