import type { Fields } from './field.ts'

const forge = { kind: 'choice', of: ['github', 'gitlab', 'gitea'], later: [] } as const
const repository = { kind: 'text', example: 'acme/shop' } as const
const url = { kind: 'text', example: 'https://git.example.org/api/v1' } as const
const token = { kind: 'text', example: 'FORGE_TOKEN' } as const

/** Keys of `issues`. */
export const issueFields = {
  forge: { spec: forge, help: 'Which API.', required: true },
  repository: { spec: repository, help: 'owner/name of the repository there.', required: true },
  url: { spec: url, help: 'Address of the API. Default: that of github.com or gitlab.com.' },
  token: {
    spec: token,
    help: 'Name of the secret with the token, in secrets/NAME.json of the state home (NAME is that of the application).',
    required: true,
  },
  labels: { spec: { kind: 'texts', example: 'bug' }, help: 'Labels of a new issue. Default: bug.' },
  from: { spec: { kind: 'texts', example: 'main' }, help: 'Refs whose failures are reported. Default: any.' },
  link: {
    spec: { kind: 'text', example: 'https://ci.example.org/runs/{id}' },
    help: 'Page of a run or deployment. Default: the command that shows it.',
  },
} as const satisfies Fields

/** Keys of `release.publish`. */
export const publishFields = {
  forge: { spec: forge, help: 'Which API. Default, as for url, repository and token: what "issues" says.' },
  repository: { spec: repository, help: 'owner/name of the repository there.' },
  url: { spec: url, help: 'Address of the API. Default: that of github.com or gitlab.com.' },
  token: { spec: token, help: 'Name of the secret with the token, in secrets/NAME.json of the state home.' },
  auto: {
    spec: { kind: 'boolean' },
    help: 'A release of a version tag is published by itself. Default: true; false leaves it to `shipway release publish VERSION`.',
  },
  after: {
    spec: { kind: 'texts', example: 'production' },
    help: 'Environments that must have verified the release before it is published by itself. Default: none, a green run is enough.',
  },
} as const satisfies Fields
