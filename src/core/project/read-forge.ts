import type { ForgePlace } from './forge-place.ts'
import type { Path } from './place.ts'
import type { ProjectReader } from './reader.ts'

const forges = ['github', 'gitlab', 'gitea'] as const
/** Addresses of the APIs that everybody means; a Gitea has none. */
const knownUrls: Readonly<Record<string, string>> = {
  github: 'https://api.github.com',
  gitlab: 'https://gitlab.com/api/v4',
}

/** What a file says of a forge's repository. */
export interface WrittenForge {
  readonly forge?: string | undefined
  readonly repository?: string | undefined
  readonly url?: string | undefined
  readonly token?: string | undefined
}

/** As `readForge`; what it does not say of the place is what `issues` says: most projects have one forge. What is missing in both is reported. */
export function readForgeOrIssues(
  reader: ProjectReader,
  written: WrittenForge,
  { issues, ...where }: { readonly path: Path; readonly what: string; readonly issues: ForgePlace | undefined },
): ForgePlace | undefined {
  // The address belongs to the forge: with another forge that of "issues" would be asked in a language that it does not know.
  const isSame = written.forge === undefined || written.forge === issues?.forge
  const given = {
    forge: written.forge ?? issues?.forge,
    repository: written.repository ?? issues?.repository,
    token: written.token ?? issues?.token,
    url: written.url ?? (isSame ? issues?.url : undefined),
  }
  const missing = (['forge', 'repository', 'token'] as const).filter((name) => given[name] === undefined)
  if (missing.length === 0) return readForge(reader, given, where)
  reader.report('CONFIG_VALUE_INVALID', where.path, {
    message: `"${where.what}" has no ${missing.join(' and no ')}.`,
    hint: 'Write it here, or in "issues": forge: github, repository: owner/name, token: NAME_OF_THE_SECRET.',
  })
  return undefined
}

/** The place with its defaults; undefined when it cannot be used, which is reported where it was written. */
export function readForge(
  reader: ProjectReader,
  written: WrittenForge,
  { path, what }: { readonly path: Path; readonly what: string },
): ForgePlace | undefined {
  const { repository, token } = written
  const forge = forges.find((name) => name === written.forge)
  if (forge === undefined || repository === undefined || token === undefined) return undefined
  const url = written.url ?? knownUrls[forge]
  const refuse = (name: string, message: string, hint: string): undefined => {
    reader.report('CONFIG_VALUE_INVALID', [...path, name], { message, hint })
    return undefined
  }
  if (url === undefined || !isApiUrl(url))
    return refuse(
      'url',
      `"${what}" has no address of the API that can be asked.`,
      'Such as https://git.example.org/api/v1.',
    )
  if (!/^[^\s/][^\s]*\/[^\s/]+$/.test(repository) && !/^\d+$/.test(repository))
    return refuse('repository', `"${repository}" is no repository.`, 'Write owner/name.')
  if (!checkToken(reader, token, { path: [...path, 'token'], what, url })) return undefined
  return { forge, repository, url, token }
}

/** An address that API paths can be put behind: no user, no query. */
export function isApiUrl(url: string): boolean {
  return /^https?:\/\/[^\s@?#]+$/.test(url) && URL.canParse(url)
}

/** False when it is no name of a secret. A token that everybody on the way could read is warned of. */
export function checkToken(
  reader: ProjectReader,
  token: string,
  { path, what, url }: { readonly path: Path; readonly what: string; readonly url: string },
): boolean {
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(token)) {
    reader.report('CONFIG_VALUE_INVALID', path, {
      message: `"${what}.token" is no name of a secret.`,
      hint: 'Only names stand in the file, never the secrets.',
    })
    return false
  }
  const { hostname, protocol, origin } = new URL(url)
  if (protocol === 'http:' && !/^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname))
    reader.report('CONFIG_TOKEN_UNENCRYPTED', path, {
      severity: 'warning',
      message: `The secret ${token} would travel unencrypted to ${origin}.`,
      hint: 'Write https://, or take a network that nobody else is on.',
    })
  return true
}
