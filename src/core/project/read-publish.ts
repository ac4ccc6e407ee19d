import type { PublishConfig } from '#core/release/publication.ts'
import type { ValuesOf } from './field.ts'
import { readForge } from './read-forge.ts'
import type { ForgePlace } from './forge-place.ts'
import type { publishFields } from './forge-schema.ts'
import type { ProjectReader } from './reader.ts'

const path = ['release', 'publish'] as const

/** Where releases are published. What it does not say of the place is what `issues` says: most projects have one forge. */
export function readPublish(
  reader: ProjectReader,
  written: ValuesOf<typeof publishFields>,
  { issues, environments }: { readonly issues: ForgePlace | undefined; readonly environments: readonly string[] },
): PublishConfig | undefined {
  // The address belongs to the forge: with another forge that of "issues" would be asked in a language that it does not know.
  const isSame = written.forge === undefined || written.forge === issues?.forge
  const given = {
    forge: written.forge ?? issues?.forge,
    repository: written.repository ?? issues?.repository,
    token: written.token ?? issues?.token,
    url: written.url ?? (isSame ? issues?.url : undefined),
  }
  const missing = (['forge', 'repository', 'token'] as const).filter((name) => given[name] === undefined)
  if (missing.length > 0) {
    reader.report('CONFIG_VALUE_INVALID', path, {
      message: `"release.publish" has no ${missing.join(' and no ')}.`,
      hint: 'Write it here, or in "issues": forge: github, repository: owner/name, token: NAME_OF_THE_SECRET.',
    })
    return undefined
  }
  for (const [index, name] of (written.after ?? []).entries())
    if (!environments.includes(name))
      reader.report('CONFIG_ENVIRONMENT_UNKNOWN', [...path, 'after', index], {
        message: `Environment "${name}" is not defined in this file.`,
        hint: `Environments: ${environments.join(', ') || 'none'}.`,
      })
  const place = readForge(reader, given, { path, what: 'release.publish' })
  if (place === undefined) return undefined
  return { ...place, isAutomatic: written.auto ?? true, after: written.after ?? [] }
}
