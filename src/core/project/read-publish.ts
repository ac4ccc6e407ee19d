import type { PublishConfig } from '#core/release/publication.ts'
import type { ValuesOf } from './field.ts'
import { readForgeOrIssues } from './read-forge.ts'
import type { ForgePlace } from './forge-place.ts'
import type { publishFields } from './forge-schema.ts'
import type { ProjectReader } from './reader.ts'

const path = ['release', 'publish'] as const

/** Where releases are published. */
export function readPublish(
  reader: ProjectReader,
  written: ValuesOf<typeof publishFields>,
  { issues, environments }: { readonly issues: ForgePlace | undefined; readonly environments: readonly string[] },
): PublishConfig | undefined {
  for (const [index, name] of (written.after ?? []).entries())
    if (!environments.includes(name))
      reader.report('CONFIG_ENVIRONMENT_UNKNOWN', [...path, 'after', index], {
        message: `Environment "${name}" is not defined in this file.`,
        hint: `Environments: ${environments.join(', ') || 'none'}.`,
      })
  const place = readForgeOrIssues(reader, written, { path, what: 'release.publish', issues })
  if (place === undefined) return undefined
  return { ...place, isAutomatic: written.auto ?? true, after: written.after ?? [] }
}
