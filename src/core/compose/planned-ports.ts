import { openPorts, readComposed } from './composed.ts'

/**
 * Ports that compose files would open beyond loopback for services that may not, told from their texts alone: what a plan can say before any host
 * was asked. Variables are those of the environment. A file that takes values of another one back (`!reset`, `!override`) is not judged
 * here, nor is one that cannot be read: the host's own compose judges all again before anything is switched.
 */
export function plannedPorts(
  texts: readonly string[],
  allowed: readonly string[],
  variables: Readonly<Record<string, string>>,
): readonly string[] {
  if (texts.some((text) => /!(?:reset|override)\b/.test(text))) return []
  const found = texts.flatMap((text) => {
    const composed = readComposed(interpolate(text, variables))
    return typeof composed === 'string' ? [] : openPorts(composed, allowed)
  })
  return [...new Set(found)].toSorted()
}

/** `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME-default}`, as far as the value is known; `$$` is a dollar. */
function interpolate(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(
    /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^}]*))?\})/g,
    (whole, dollar?: string, plain?: string, name?: string, otherwise?: string) =>
      dollar ?? variables[plain ?? name ?? ''] ?? otherwise ?? whole,
  )
}
