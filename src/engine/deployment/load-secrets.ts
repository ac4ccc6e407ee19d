import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { DeliveryContext } from './context.ts'

/** Larger files of secrets are refused. Bytes. */
const secretsBytesMax = 1024 * 1024

/**
 * Secrets of a deployment: those that the environment keeps in the home (`secrets/<application>/<environment>.json`, an object of
 * texts, mode 0600), then those that were given with tickets; later ones win. What is gone, because its run has ended, is
 * simply not there.
 */
export function loadSecrets(
  context: { readonly files: Pick<DeliveryContext['files'], 'readText'> },
  asked: {
    readonly application: string
    readonly environment: string
    readonly tickets: readonly string[]
    /** Also those of the whole application (`secrets/<application>.json`), which only the agent itself uses: tokens of services. */
    readonly hasCommon?: true
  },
): Readonly<Record<string, string>> {
  const common = asked.hasCommon === true ? [asked.application] : []
  const files = [...common, `${asked.application}/${asked.environment}`, ...asked.tickets]
  const secrets: Record<string, string> = {}
  for (const file of files) {
    const text = context.files.readText(`${homeLayout.secrets}/${file}.json`, secretsBytesMax)
    if (text === undefined) continue
    for (const [name, value] of Object.entries(parseObject(text))) if (typeof value === 'string') secrets[name] = value
  }
  return secrets
}

/** A file that somebody has spoiled gives nothing, and the rule says which secrets are missing. Its text must not get into an error. */
function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : {}
  } catch {
    return {}
  }
}
