import type { Fields } from './field.ts'
import { nginxSwitchFields } from './nginx-switch-schema.ts'

const minute = 60_000

const registryFields = {
  server: { spec: { kind: 'text', example: 'ghcr.io' }, help: 'Name of the registry.', required: true },
  username: { spec: { kind: 'text', example: 'deploy' }, help: 'Who logs in.', required: true },
  password: {
    spec: { kind: 'text', example: 'REGISTRY_TOKEN' },
    help: 'Name of the secret with the password or token; one of "secrets". The services do not get it.',
    required: true,
  },
} as const satisfies Fields

/** Keys of `compose.blueGreen`. */
export const blueGreenFields = {
  services: {
    spec: { kind: 'texts', example: 'web:3000' },
    help: 'Services of which two sets live side by side during a switch, each with the port that it listens at in its container. They publish no port themselves and have a health check.',
    required: true,
  },
  replicas: { spec: { kind: 'whole', min: 1, max: 50 }, help: 'Containers of each service. Default: 1.' },
  ports: {
    spec: { kind: 'text', example: '20000-20999' },
    help: 'Ports on loopback, one of which every container has for its life. Default: 20000-20999.',
  },
  ...nginxSwitchFields,
} as const satisfies Fields

/** Keys of `compose`. */
export const composeFields = {
  files: {
    spec: { kind: 'texts', example: 'docker-compose.yml' },
    help: 'Compose files of the release; later ones extend earlier ones. Default: compose.yaml, compose.yml, docker-compose.yml or docker-compose.yaml.',
  },
  project: {
    spec: { kind: 'text', example: 'shop-staging' },
    help: 'Name of the compose project on the hosts. Default: made of application and environment. Another name means other volumes. "${{ target.name }}" is replaced.',
  },
  profiles: { spec: { kind: 'texts', example: 'with-celery' }, help: 'Profiles of the compose files that are on.' },
  healthWithin: {
    spec: { kind: 'duration', minMs: 1000, maxMs: 60 * minute },
    help: 'How long all services together may take to become healthy after they were started. Default: 120s.',
  },
  pullWithin: {
    spec: { kind: 'duration', minMs: 1000, maxMs: 180 * minute },
    help: 'How long the images may take to arrive. Default: 10m.',
  },
  expose: {
    spec: { kind: 'texts', example: 'proxy' },
    help: 'Only these services may publish ports beyond loopback; anything else is refused. Default: any may.',
  },
  registry: { spec: { kind: 'group', fields: registryFields }, help: 'Where to log in, for the time of a pull.' },
  engine: {
    spec: { kind: 'text', example: 'unix:///run/user/1000/docker.sock' },
    help: 'Socket of the Docker engine on the hosts, as DOCKER_HOST. Default: what docker finds there.',
  },
  blueGreen: {
    spec: { kind: 'group', fields: blueGreenFields },
    help: 'Services that are switched behind the nginx of the host without losing a request. Default: everything is replaced where it stands.',
  },
} as const satisfies Fields
