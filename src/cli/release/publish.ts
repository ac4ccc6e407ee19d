import { setTimeout as sleep } from 'node:timers/promises'
import { errorFromReport, exitCodeOf } from '#core/errors.ts'
import { publicationForeign, publishUnset, releaseUnpublishable } from '#core/known/forge.ts'
import { isPrerelease } from '#core/release/publication.ts'
import type { PublishConfig } from '#core/release/publication.ts'
import { isDirtyVersion } from '#core/release/version.ts'
import type { PublishRequest } from '#core/ticket/model.ts'
import type { ReleaseSummary } from '#core/view/model.ts'
import { freshRules } from '#engine/refresh-rules.ts'
import { loadApplication } from '#store/application.ts'
import { loadPublication } from '#store/publication.ts'
import type { Publication } from '#store/publication.ts'
import { readFilledHome } from '../open-home.ts'
import type { Session } from '../session.ts'
import { performRequest } from '../work.ts'
import { findRelease } from './find-release.ts'
import { writeNotes } from './notes.ts'

/** How long a call waits for what another process, the agent of the home, does for it. Milliseconds. */
const waitMsMax = 120_000
const lookEveryMs = 100

export interface PublishFlags {
  readonly app?: string
  readonly force?: boolean
  readonly dryRun?: boolean
}

/** `release publish R`: the agent makes the release at the forge, or brings it up to date, and this call tells how that ended. */
export async function publish(session: Session, wanted: string, flags: PublishFlags): Promise<number> {
  if (flags.dryRun === true) return previewPublication(session, wanted, flags)
  const release = await readFilledHome(session, async (q) => findRelease(session, q, wanted, flags.app))
  const request: PublishRequest = {
    kind: 'publish',
    application: release.application,
    release: release.id,
    ...(flags.force === true ? { isForced: true } : {}),
  }
  // Nothing to watch, but where this process is the agent it stays until the forge was asked: admitted is not done.
  await performRequest(session, request, { watch: 'until-done', subjects: [], liveTo: 'stderr' })
  return conclude(session, release, await ended(session, release))
}

/** The publication once it was tried; the one that nobody has tried yet when the time is over. */
async function ended(session: Session, { id }: ReleaseSummary): Promise<Publication | undefined> {
  const until = session.world.now() + waitMsMax
  for (;;) {
    const found = await readFilledHome(session, async (q) => loadPublication(q, id))
    if (found === undefined || found.state !== 'open' || found.problem !== undefined) return found
    if (session.world.now() >= until) return found
    await sleep(lookEveryMs)
  }
}

function conclude(session: Session, release: ReleaseSummary, publication: Publication | undefined): number {
  const { version, application } = release
  const { problem, act, url, state = 'open' } = publication ?? {}
  // The agent goes on trying by itself where that can help, but this call has not done what it was asked for.
  if (problem !== undefined) throw errorFromReport(problem)
  if (act === 'kept') throw publicationForeign({ version, url: url ?? '' })
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'ReleasePublication',
      application,
      version,
      release: release.id,
      state,
      act: act ?? null,
      url: url ?? null,
    })
  else if (session.isQuiet) session.print(url ?? '')
  else if (act === undefined)
    session.print(`⏳ ${version} of ${application} is not published yet; the agent of this home does it`)
  else
    session.print(
      `✓ ${version} of ${application} ${act === 'unchanged' ? 'is published as it stands' : act} at ${url ?? 'the forge'}`,
    )
  return act === undefined ? exitCodeOf.waiting : 0
}

/** Where it would go, and what would stand there. The forge is not asked. */
async function previewPublication(session: Session, wanted: string, flags: PublishFlags): Promise<number> {
  const { release, written } = await writeNotes(session, wanted, flags)
  const { version, application } = release
  if (isDirtyVersion(version)) throw releaseUnpublishable({ version })
  const place = await placeOf(session, application)
  const isPre = isPrerelease(version)
  if (session.isJson)
    session.printJson({
      apiVersion: 'v1',
      kind: 'ReleasePublicationPlan',
      application,
      version,
      release: release.id,
      sha: release.sha,
      forge: place.forge,
      repository: place.repository,
      url: place.url,
      isPrerelease: isPre,
      since: written.since ?? null,
      notes: written.text,
    })
  else if (session.isQuiet) session.print(version)
  else
    session.print(
      [
        `would publish ${version} of ${application}${isPre ? ' as a pre-release' : ''} at ${place.repository} (${place.forge}, ${place.url}), tag ${version} on ${release.sha.slice(0, 12)}:`,
        '',
        written.text.trimEnd(),
      ].join('\n'),
    )
  return 0
}

/** By the rules that the real call would bring into force. */
async function placeOf(session: Session, application: string): Promise<PublishConfig> {
  const config = await readFilledHome(session, async (q) => {
    const fresh = await freshRules(session.services, q, { application })
    return (fresh ?? (await loadApplication(q, application)))?.config
  })
  if (config?.publish === undefined) throw publishUnset({ application })
  return config.publish
}
