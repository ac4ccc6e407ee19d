import { existsSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { actionSourceInvalid } from '#core/known/action.ts'
import { parseRemoteName, pinKey } from '#core/action/remote-name.ts'
import type { ActionOrigin } from '#core/action/lock.ts'

const baseUrlDefault = 'https://github.com'
const protocols: ReadonlySet<string> = new Set(['https:', 'http:', 'ssh:', 'git:', 'file:'])

/** Where `actions add` takes something from. */
export type Source =
  | { readonly kind: 'folder'; readonly path: string; readonly repository: string }
  | { readonly kind: 'git'; readonly url: string; readonly isLocal: boolean; readonly repository: string }

/** What the first argument of `actions add` means, and which repository it becomes. Throws ACTION_SOURCE_INVALID. */
export async function readSource(source: string, named: string | undefined): Promise<Source> {
  if (statSync(source, { throwIfNoEntry: false })?.isDirectory() === true) {
    const isGit =
      existsSync(join(source, '.git')) || (existsSync(join(source, 'HEAD')) && existsSync(join(source, 'objects')))
    const repository = named ?? localName(source)
    if (!isGit) return { kind: 'folder', path: source, repository }
    return { kind: 'git', url: pathToFileURL(source).href, isLocal: true, repository }
  }
  const problem = urlProblem(source)
  if (problem !== undefined) throw actionSourceInvalid({ source, problem })
  return { kind: 'git', url: source, isLocal: false, repository: named ?? nameOfUrl(source) }
}

/** The url to fetch a repository from; undefined when that is switched off. */
export function remoteUrl(
  name: { readonly repository: string; readonly ref: string },
  { pins, baseUrl }: ActionOrigin,
  override: string | undefined,
): string | undefined {
  if (override === 'off') return undefined
  const pinned = override === undefined ? pins[pinKey(name)]?.url : undefined
  const url = pinned ?? `${(override ?? baseUrl ?? baseUrlDefault).replace(/\/+$/, '')}/${name.repository}`
  const problem = urlProblem(url)
  if (problem !== undefined) throw actionSourceInvalid({ source: url, problem })
  return url
}

/** A url that may be written down and shown: without the name and password of whoever used it, and undefined where only this machine knows it. */
export function publicUrl(text: string): string | undefined {
  if (isScp(text)) return text
  const url = new URL(text)
  if (url.protocol === 'file:') return undefined
  url.password = ''
  if (url.protocol !== 'ssh:') url.username = ''
  return url.href
}

function urlProblem(text: string): string | undefined {
  if (isScp(text)) return undefined
  if (!URL.canParse(text)) return 'it is neither a folder nor a url'
  const { protocol } = new URL(text)
  return protocols.has(protocol) ? undefined : `urls of the form ${protocol} are not used`
}

/** `git@host:owner/repo.git`. */
function isScp(text: string): boolean {
  return /^[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^:-][^:]*$/.test(text)
}

/** The last two parts of a url's path. */
function nameOfUrl(source: string): string {
  const match = /[/:]([^/:]+)\/([^/]+?)(?:\.git)?\/?$/.exec(source)
  const name = parseRemoteName(`${match?.[1] ?? ''}/${match?.[2] ?? ''}@x`)
  if (name !== undefined) return name.repository
  throw actionSourceInvalid({ source, problem: 'its path does not end in owner/repo; name it: owner/repo@ref' })
}

function localName(folder: string): string {
  const name = parseRemoteName(`local/${basename(folder)}@x`)
  if (name !== undefined) return name.repository
  throw actionSourceInvalid({
    source: folder,
    problem: 'its name cannot be that of a repository; name it: owner/repo@ref',
  })
}
