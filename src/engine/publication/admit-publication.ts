import { publishUnset, releaseUnpublishable } from '#core/known/forge.ts'
import { releaseNotFound } from '#core/known/release.ts'
import { isDirtyVersion } from '#core/release/version.ts'
import type { PublishRequest, TicketOutcome } from '#core/ticket/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import { insertPublication } from '#store/publication.ts'
import { loadRelease } from '#store/release.ts'
import type { TicketOf } from '../delivery.ts'

/** Somebody asks for a release to be published now, whatever `auto` and `after` say: it is their word. */
export async function admitPublication(query: Query, ticket: TicketOf<PublishRequest>): Promise<TicketOutcome> {
  const { application, release: id, isForced = false } = ticket.request
  const release = await loadRelease(query, id)
  if (release === undefined || release.manifest.application !== application)
    throw releaseNotFound({ release: id, application, known: [] })
  const { version } = release.manifest
  if (isDirtyVersion(version)) throw releaseUnpublishable({ version })
  if ((await loadApplication(query, application))?.config.publish === undefined) throw publishUnset({ application })
  await insertPublication(query, { release: id, application, isForced }, { again: true })
  return { kind: 'accepted', subjects: [id] }
}
