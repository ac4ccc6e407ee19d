import type { BadMark, Release, ReleaseManifest } from '#core/release/model.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson, fromJsonOrNull, present } from './column.ts'

interface ReleaseRow {
  readonly id: string
  readonly manifest: string
  readonly run: string | null
  readonly sealed_by: string
  readonly created_at: number
  readonly bad: string | null
}

/** Releases of one commit that are looked at: its branch, its tags, and what was sealed of it by hand. */
const ofCommitMax = 50

const columns = 'id, manifest, run, sealed_by, created_at, bad'

/** Keeps a sealed release. A second time it changes nothing: the id names the content. */
export async function insertRelease(
  q: Query,
  release: Pick<Release, 'id' | 'manifest' | 'sealedBy' | 'run'>,
): Promise<'new' | 'known'> {
  const { application, version, source } = release.manifest
  const rows = await q(
    `insert into release (id, application, version, sha, ref, run, created_at, manifest, sealed_by)
     values ($1, $2, $3, $4, $5, $6, {now}, $7, $8) on conflict (id) do nothing returning id`,
    [
      release.id,
      application,
      version,
      source.sha,
      source.ref,
      release.run ?? null,
      JSON.stringify(release.manifest),
      release.sealedBy,
    ],
  )
  return rows.length === 1 ? 'new' : 'known'
}

export async function loadRelease(q: Query, id: string): Promise<Release | undefined> {
  const [row] = await q<ReleaseRow>(`select ${columns} from release where id = $1`, [id])
  return row === undefined ? undefined : storedRelease(row)
}

export async function releaseOfRun(q: Query, run: string): Promise<Release | undefined> {
  const [row] = await q<ReleaseRow>(
    `select ${columns} from release where run = $1 order by created_at desc, id limit 1`,
    [run],
  )
  return row === undefined ? undefined : storedRelease(row)
}

/** Releases of one commit, newest first. */
export async function releasesOfCommit(q: Query, application: string, sha: string): Promise<readonly Release[]> {
  const rows = await q<ReleaseRow>(
    `select ${columns} from release where application = $1 and sha = $2 order by created_at desc, id limit ${ofCommitMax}`,
    [application, sha],
  )
  return rows.map(storedRelease)
}

/** Releases that a person may mean: the version, the id, or the beginning of the id; several when that is not clear. */
export async function findReleases(q: Query, application: string, written: string): Promise<readonly Release[]> {
  const byVersion = await q<ReleaseRow>(`select ${columns} from release where application = $1 and version = $2`, [
    application,
    written,
  ])
  if (byVersion.length > 0) return byVersion.map(storedRelease)
  if (!/^[0-9a-f]{4,64}$/.test(written)) return []
  const byId = await q<ReleaseRow>(
    `select ${columns} from release where application = $1 and substr(id, 1, length($2)) = $2 order by created_at desc limit 5`,
    [application, written],
  )
  return byId.map(storedRelease)
}

/** The newest release, those left out that a deployment found bad. */
export async function latestRelease(q: Query, application: string): Promise<Release | undefined> {
  const [row] = await q<ReleaseRow>(
    `select ${columns} from release where application = $1 and bad is null order by created_at desc, id desc limit 1`,
    [application],
  )
  return row === undefined ? undefined : storedRelease(row)
}

/** Newest first. */
export async function listReleases(q: Query, application: string, limit: number): Promise<readonly Release[]> {
  const rows = await q<ReleaseRow>(
    `select ${columns} from release where application = $1 order by created_at desc, id desc limit $2`,
    [application, limit],
  )
  return rows.map(storedRelease)
}

/** Versions that begin like this one: what a new version must differ from. */
export async function versionsLike(q: Query, application: string, beginning: string): Promise<ReadonlySet<string>> {
  const rows = await q<{ version: string }>(
    'select version from release where application = $1 and substr(version, 1, length($2)) = $2',
    [application, beginning],
  )
  return new Set(rows.map((row) => row.version))
}

/** Marks a release that failed on an environment and was put back. The first mark of each environment stays. */
export async function markReleaseBad(q: Query, id: string, bad: BadMark): Promise<void> {
  const [row] = await q<{ bad: string | null }>('select bad from release where id = $1', [id])
  const marks = readBadMarks(row?.bad ?? null)
  if (row === undefined || marks.some(({ environment }) => environment === bad.environment)) return
  await q('update release set bad = $2 where id = $1', [id, JSON.stringify([...marks, bad])])
}

/** Takes back the marks that an environment gave: somebody has looked at it. */
export async function clearBadReleases(q: Query, application: string, environment: string): Promise<void> {
  const rows = await q<{ id: string; bad: string }>(
    'select id, bad from release where application = $1 and bad is not null',
    [application],
  )
  for (const row of rows) {
    const marks = readBadMarks(row.bad)
    const others = marks.filter((mark) => mark.environment !== environment)
    if (others.length < marks.length)
      await q('update release set bad = $2 where id = $1', [
        row.id,
        others.length === 0 ? null : JSON.stringify(others),
      ])
  }
}

function storedRelease(row: ReleaseRow): Release {
  return {
    id: row.id,
    manifest: fromJson<ReleaseManifest>(row.manifest),
    sealedBy: row.sealed_by,
    createdAt: row.created_at,
    ...present({ run: row.run, bad: badMarksOf(fromJsonOrNull(row.bad)) }),
  }
}

function readBadMarks(text: string | null): readonly BadMark[] {
  return badMarksOf(fromJsonOrNull(text)) ?? []
}

/** The marks in the column; one by itself is what earlier versions wrote. Null without any: then the release is not bad. */
export function badMarksOf(value: unknown): readonly BadMark[] | null {
  if (typeof value !== 'object' || value === null) return null
  const marks = (Array.isArray(value) ? value : [value]) as readonly BadMark[]
  return marks.length === 0 ? null : marks
}
