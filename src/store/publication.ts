import type { ErrorReport } from '#core/errors.ts'
import type { PublishAct } from '#core/release/publication.ts'
import type { Query } from '#ports/sql-driver.ts'
import { fromJson, present } from './column.ts'
import type { JsonText } from './column.ts'

/** A release that is to be at the forge, or is. */
export interface Publication {
  readonly release: string
  readonly application: string
  readonly state: 'open' | 'done' | 'given-up'
  /** What somebody else wrote there is replaced. */
  readonly isForced: boolean
  readonly tries: number
  /** Not before this time. Milliseconds since 1970. */
  readonly nextAt: number
  /** Why the latest try failed. */
  readonly problem?: ErrorReport
  readonly act?: PublishAct
  /** Its page at the forge. */
  readonly url?: string
}

interface Row {
  readonly release: string
  readonly application: string
  readonly state: Publication['state']
  readonly is_forced: number
  readonly tries: number
  readonly next_at: number
  readonly problem: JsonText<ErrorReport> | null
  readonly act: PublishAct | null
  readonly url: string | null
}

/** Asks for it. `again`: also where it is there already, or was given up; else the same one a second time changes nothing. */
export async function insertPublication(
  q: Query,
  asked: { readonly release: string; readonly application: string; readonly isForced: boolean },
  { again }: { readonly again: boolean },
): Promise<void> {
  const onConflict = again
    ? `do update set state = 'open', is_forced = $3, tries = 0, next_at = 0, problem = null, act = null`
    : 'do nothing'
  await q(
    `insert into publication (release, application, state, is_forced, tries, next_at, created_at)
     values ($1, $2, 'open', $3, 0, 0, {now}) on conflict (release) ${onConflict}`,
    [asked.release, asked.application, asked.isForced ? 1 : 0],
  )
}

export async function loadPublication(q: Query, release: string): Promise<Publication | undefined> {
  const [row] = await q<Row>('select * from publication where release = $1', [release])
  return row === undefined ? undefined : publicationOf(row)
}

/** Those that are not done, in the order in which they were asked for. */
export async function openPublications(q: Query, limit: number): Promise<readonly Publication[]> {
  const rows = await q<Row>(`select * from publication where state = 'open' order by created_at, release limit $1`, [
    limit,
  ])
  return rows.map(publicationOf)
}

export async function closePublication(
  q: Query,
  release: string,
  end:
    | { readonly state: 'done'; readonly act: PublishAct; readonly url: string }
    | { readonly state: 'given-up'; readonly problem: ErrorReport },
): Promise<void> {
  const { act, url, problem } = { act: undefined, url: undefined, problem: undefined, ...end }
  await q('update publication set state = $2, act = $3, url = $4, problem = $5 where release = $1', [
    release,
    end.state,
    act ?? null,
    url ?? null,
    problem === undefined ? null : JSON.stringify(problem),
  ])
}

export async function postponePublication(
  q: Query,
  release: string,
  { nextAt, problem }: { readonly nextAt: number; readonly problem: ErrorReport },
): Promise<void> {
  await q('update publication set tries = tries + 1, next_at = $2, problem = $3 where release = $1', [
    release,
    nextAt,
    JSON.stringify(problem),
  ])
}

function publicationOf(row: Row): Publication {
  const { release, application, state, tries } = row
  return {
    release,
    application,
    state,
    isForced: row.is_forced === 1,
    tries,
    nextAt: row.next_at,
    ...present({
      problem: row.problem === null ? null : fromJson<ErrorReport>(row.problem),
      act: row.act,
      url: row.url,
    }),
  }
}
