import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { DeliveryContext } from './context.ts'

/** Larger files of secrets are refused. Bytes. */
const secretsBytesMax = 1024 * 1024

/** Secrets that were given with tickets; later tickets win. What is gone, because its run has ended, is simply not there. */
export function loadSecrets(
  context: Pick<DeliveryContext, 'files'>,
  tickets: readonly string[],
): Readonly<Record<string, string>> {
  const secrets: Record<string, string> = {}
  for (const ticket of tickets) {
    const text = context.files.readText(`${homeLayout.secrets}/${ticket}.json`, secretsBytesMax)
    if (text === undefined) continue
    const values: unknown = JSON.parse(text)
    if (!isJsonObject(values)) continue
    for (const [name, value] of Object.entries(values)) if (typeof value === 'string') secrets[name] = value
  }
  return secrets
}
