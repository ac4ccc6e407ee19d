import type { IssuesConfig } from '#core/issue/model.ts'
import type { ValuesOf } from './field.ts'
import type { ProjectReader } from './reader.ts'
import type { projectFields } from './schema.ts'

type WrittenIssues = NonNullable<ValuesOf<typeof projectFields>['issues']>

const forges = ['github', 'gitlab', 'gitea'] as const
/** Addresses of the APIs that everybody means; a Gitea has none. */
const knownUrls: Readonly<Record<string, string>> = {
  github: 'https://api.github.com',
  gitlab: 'https://gitlab.com/api/v4',
}

/** Where failures are reported, with its defaults; undefined when it cannot be used. */
export function readIssues(reader: ProjectReader, written: WrittenIssues): IssuesConfig | undefined {
  const { repository, token, link } = written
  const forge = forges.find((name) => name === written.forge)
  if (forge === undefined || repository === undefined || token === undefined) return undefined
  const url = written.url ?? knownUrls[forge]
  const refuse = (name: string, message: string, hint: string): undefined => {
    reader.report('CONFIG_VALUE_INVALID', ['issues', name], { message, hint })
    return undefined
  }
  if (url === undefined || !/^https?:\/\/[^\s@?#]+$/.test(url))
    return refuse(
      'url',
      '"issues" has no address of the API that can be asked.',
      'Such as https://git.example.org/api/v1.',
    )
  if (!/^[^\s/][^\s]*\/[^\s/]+$/.test(repository) && !/^\d+$/.test(repository))
    return refuse('repository', `"${repository}" is no repository.`, 'Write owner/name.')
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(token))
    return refuse('token', '"issues.token" is no name of a secret.', 'Only names stand in the file, never the secrets.')
  return {
    forge,
    repository,
    url,
    token,
    labels: written.labels ?? ['bug'],
    from: written.from ?? [],
    ...(link === undefined ? {} : { link }),
  }
}
