import { KnownError, reportError } from '#core/errors.ts'
import { forgeTokenMissing, publishUnset } from '#core/known/forge.ts'
import { releaseNotFound } from '#core/known/release.ts'
import { forgeRelease, publicationMark } from '#core/release/publication.ts'
import type { ForgeRelease, PublishAct } from '#core/release/publication.ts'
import type { PublishedRelease, ReleaseDesk } from '#ports/release-desk.ts'
import { loadApplication } from '#store/application.ts'
import type { StoredApplication } from '#store/application.ts'
import { appendAudit } from '#store/audit.ts'
import { closePublication, openPublications, postponePublication } from '#store/publication.ts'
import type { Publication } from '#store/publication.ts'
import { loadRelease } from '#store/release.ts'
import { viewReleases } from '#store/view.ts'
import type { AgentContext } from '../context.ts'
import { loadSecrets } from '../run-secrets.ts'
import { notesOf, releaseBefore } from './notes-of.ts'

/** Publications that one pass looks at. */
const publicationsMax = 100
/** Releases among which the one before is looked for. */
const historyMax = 1000
/** One that no forge takes for so long is given up: three days with the pauses below. */
const triesMax = 80
const pauseMsMin = 15_000
const pauseMsMax = 60 * 60_000

/**
 * Publishes what is due. Never throws for the forge's sake: what did not arrive is tried again later, by whichever agent is there then. What arrived and
 * was not written down is found again by its tag.
 */
export async function sendPublications(context: AgentContext, signal: AbortSignal): Promise<void> {
  for (const publication of await openPublications(context.store.query, publicationsMax)) {
    if (publication.nextAt > context.clock.now()) continue
    try {
      const { act, url, version } = await publish(context, publication, signal)
      await context.store.transaction(async (q) => {
        await closePublication(q, publication.release, { state: 'done', act, url })
        if (act !== 'unchanged')
          await appendAudit(q, context, fact(publication, `release.publication-${act}`, { version, url }))
      })
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof KnownError)) throw error
      await postpone(context, publication, error)
    }
    context.notify({ type: 'changed', subject: publication.release })
  }
}

async function postpone(context: AgentContext, publication: Publication, error: KnownError): Promise<void> {
  const { release, tries } = publication
  const problem = reportError(error)
  await context.store.transaction(async (q) => {
    if (tries === 0) await appendAudit(q, context, fact(publication, 'release.unpublished', { code: problem.code }))
    if (tries + 1 >= triesMax) return closePublication(q, release, { state: 'given-up', problem })
    const nextAt = context.clock.now() + Math.min(pauseMsMax, pauseMsMin * 2 ** tries)
    return postponePublication(q, release, { nextAt, problem })
  })
}

function fact(
  { application, release }: Publication,
  action: string,
  detail: Readonly<Record<string, string>>,
): Parameters<typeof appendAudit>[2] {
  return { actor: 'shipway', action, application, subject: release, detail }
}

async function publish(
  context: AgentContext,
  { application: name, release: id, isForced }: Publication,
  signal: AbortSignal,
): Promise<{ readonly act: PublishAct; readonly url: string; readonly version: string }> {
  const { query } = context.store
  const application = await loadApplication(query, name)
  const config = application?.config.publish
  if (application === undefined || config === undefined) throw publishUnset({ application: name })
  const token = loadSecrets(context.files, name)[config.token]
  if (token === undefined) throw forgeTokenMissing({ application: name, token: config.token })
  const wanted = await wantedRelease(context, id, application)
  const desk = await context.openReleaseDesk(config, token, signal)
  return { ...(await bring(desk, wanted, isForced)), version: wanted.tag }
}

/** The release as the forge is to show it. */
async function wantedRelease(
  context: AgentContext,
  id: string,
  { name, repository }: StoredApplication,
): Promise<ForgeRelease> {
  const { query } = context.store
  const manifest = (await loadRelease(query, id))?.manifest
  if (manifest === undefined) throw releaseNotFound({ release: id, application: name, known: [] })
  const all = await viewReleases(query, { application: manifest.application, limit: historyMax })
  const own = all.find((one) => one.id === id)
  const { version } = manifest
  const { sha } = manifest.source
  if (own === undefined) return forgeRelease({ id, version, sha }, '')
  const before = await releaseBefore(context.git, repository, own, all)
  const written = await notesOf(context.git, repository, own, before)
  return forgeRelease({ id, version, sha }, written?.text ?? '')
}

/** Creates it, or brings it up to date. What somebody has written by hand is theirs. */
async function bring(
  desk: ReleaseDesk,
  wanted: ForgeRelease,
  isForced: boolean,
): Promise<{ readonly act: PublishAct; readonly url: string }> {
  const found = await desk.find(wanted.tag)
  if (found === undefined) return { act: 'created', url: await desk.create(wanted) }
  if (!found.body.includes(publicationMark) && !isForced) return { act: 'kept', url: found.url }
  if (isSame(found, wanted)) return { act: 'unchanged', url: found.url }
  await desk.update(found.key, wanted)
  return { act: 'updated', url: found.url }
}

/** Some forges end lines their own way, and cut what is white at the end. */
function isSame(found: PublishedRelease, wanted: ForgeRelease): boolean {
  const isPrerelease = found.isPrerelease ?? wanted.isPrerelease
  const body = found.body.replaceAll('\r\n', '\n').trim()
  return found.title === wanted.title && isPrerelease === wanted.isPrerelease && body === wanted.body.trim()
}
