import type { PublishConfig } from '#core/release/publication.ts'
import { isDirtyVersion, isSemanticVersion } from '#core/release/version.ts'
import type { Release } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { loadApplication } from '#store/application.ts'
import { firstProved, kinOf } from '../deployment/same-content.ts'
import { insertPublication } from '#store/publication.ts'
import { loadRelease, releaseOfRun } from '#store/release.ts'
import type { StoredRun } from '#store/run.ts'

/** A green run has sealed a release: in the transaction that settles the run. */
export async function publishOfRun(q: Query, run: StoredRun): Promise<void> {
  if (run.conclusion !== 'success') return
  const release = await releaseOfRun(q, run.id)
  if (release !== undefined) await publishWhenDue(q, release)
}

/** An environment has verified a release: in the transaction that ends the deployment. */
export async function publishOfDeployment(
  q: Query,
  deployment: { readonly release: string },
  conclusion: string,
): Promise<void> {
  if (conclusion !== 'success') return
  const release = await loadRelease(q, deployment.release)
  if (release !== undefined) await publishWhenDue(q, release)
}

async function publishWhenDue(q: Query, release: Release): Promise<void> {
  const { application } = release.manifest
  const config = (await loadApplication(q, application))?.config.publish
  if (config === undefined || !(await isDue(q, release, config))) return
  await insertPublication(q, { release: release.id, application, isForced: false }, { again: false })
}

async function isDue(q: Query, release: Release, config: PublishConfig): Promise<boolean> {
  const { version, source, application } = release.manifest
  const isTagged = source.ref.startsWith('refs/tags/') && isSemanticVersion(version) && !isDirtyVersion(version)
  if (!config.isAutomatic || !isTagged) return false
  const { same } = await kinOf(q, release)
  for (const environment of config.after)
    if ((await firstProved(q, { application, environment }, same)) === undefined) return false
  return true
}
