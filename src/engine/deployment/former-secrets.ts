import type { FormerSecret, FormerSecrets, Revocation, SecretVersions } from '#core/deployment/secret-version.ts'
import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { HomeFiles } from '#ports/home-files.ts'

/** Larger files are no files of ours: 100 secrets of the greatest length, for many releases. Bytes. */
const formerBytesMax = 128 * 1024 * 1024

const schema = 'shipway.former-secrets/1'

interface Place {
  readonly application: string
  readonly environment: string
}

/** Values of before that an environment keeps. A file that somebody has spoiled gives none; its text must not get into an error. */
export function readFormerSecrets(
  files: Pick<HomeFiles, 'readText'>,
  { application, environment }: Place,
): FormerSecrets {
  const text = files.readText(homeLayout.formerSecrets(application, environment), formerBytesMax)
  const value = text === undefined ? undefined : parse(text)
  if (!isJsonObject(value) || value['schema'] !== schema || !isJsonObject(value['secrets'])) return {}
  return Object.fromEntries(
    Object.entries(value['secrets']).map(([name, versions]) => [name, isJsonObject(versions) ? known(versions) : {}]),
  )
}

/** Written only where it says something else than before. */
export function writeFormerSecrets(
  files: Pick<HomeFiles, 'readText' | 'write'>,
  place: Place,
  secrets: FormerSecrets,
): void {
  const file = homeLayout.formerSecrets(place.application, place.environment)
  const text = JSON.stringify({ schema, secrets })
  if (text === (files.readText(file, formerBytesMax) ?? JSON.stringify({ schema, secrets: {} }))) return
  files.write(file, text, 0o600)
}

/** Values of certain versions; one that has been revoked, or was never kept, has none. */
export function formerValues(
  files: Pick<HomeFiles, 'readText'>,
  place: Place,
  versions: SecretVersions = {},
): Readonly<Record<string, string>> {
  const wanted = Object.entries(versions)
  if (wanted.length === 0) return {}
  const former = readFormerSecrets(files, place)
  return Object.fromEntries(
    wanted.flatMap(([name, version]) => {
      const secret = former[name]?.[version]
      return secret !== undefined && 'value' in secret ? [[name, secret.value]] : []
    }),
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function known(versions: Readonly<Record<string, unknown>>): Readonly<Record<string, FormerSecret>> {
  return Object.fromEntries(
    Object.entries(versions).flatMap(([version, secret]): [string, FormerSecret][] => {
      if (!isJsonObject(secret)) return []
      const { value, revoked } = secret
      if (typeof value === 'string') return [[version, { value }]]
      return isJsonObject(revoked) ? [[version, { revoked: revoked as unknown as Revocation }]] : []
    }),
  )
}
