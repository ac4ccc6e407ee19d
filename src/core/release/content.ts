import { canonicalJson } from '#core/json.ts'
import type { ReleaseManifest } from './model.ts'

/**
 * Whether two releases of one commit bring the same to a target: files, images, configuration and migration. Their names, the refs that they came by and what has
 * proved them are aside, so a tag on a commit that was tested from its branch means what was tested.
 */
export function isSameContent(one: ReleaseManifest, other: ReleaseManifest): boolean {
  return (
    one.application === other.application &&
    one.source.sha === other.source.sha &&
    !one.source.dirty &&
    !other.source.dirty &&
    contentOf(one) === contentOf(other)
  )
}

function contentOf({ files, images, versions, migration, environments }: ReleaseManifest): string {
  // A manifest is JSON; what is absent is written as null.
  return canonicalJson(JSON.parse(JSON.stringify([files, images, versions, migration, environments])))
}
