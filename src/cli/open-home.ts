import { homeEmpty, latestMissing, subjectAmbiguous, subjectUnknown } from '#core/known/cli.ts'
import { listDatabaseWork } from '#store/database-work.ts'
import type { DatabaseWork } from '#core/backup/model.ts'
import { findSubjects } from '#store/view.ts'
import type { Subject } from '#store/view.ts'
import type { Query } from '#ports/sql-driver.ts'
import { applicationHere } from './project.ts'
import type { Session } from './session.ts'

/** Reads the store of the session's home and closes it; `read` gets undefined when nothing was ever done there. */
export async function readHome<T>(session: Session, read: (q: Query | undefined) => Promise<T>): Promise<T> {
  const store = await session.services.openStore(session.home)
  try {
    return await read(store?.query)
  } finally {
    await store?.close()
  }
}

/** The same for a command that makes no sense without a history. */
export async function readFilledHome<T>(session: Session, read: (q: Query) => Promise<T>): Promise<T> {
  return readHome(session, async (q) => {
    if (q === undefined) throw homeEmpty({ home: session.home })
    return read(q)
  })
}

/** Backups and restores that an id is looked for in. */
const databaseWorkMax = 10_000

/** Whether a text can only be the id of a backup or a restore, or its first characters. */
export function isDatabaseWorkId(text: string): boolean {
  return /^(bkp|rst)_/.test(text)
}

/** The one run, deployment, backup or restore that a text means. */
export async function findCancellable(
  session: Session,
  q: Query,
  text: string,
  flag?: string,
): Promise<{ readonly id: string }> {
  return isDatabaseWorkId(text) ? findDatabaseWork(q, text) : findSubject(session, q, text, flag)
}

/** The one backup or restore that an id, or its first characters, means. */
export async function findDatabaseWork(q: Query, text: string): Promise<DatabaseWork> {
  const all = await listDatabaseWork(q, { limit: databaseWorkMax })
  const [first, ...others] = all.filter(({ id }) => id.startsWith(text))
  if (first === undefined) throw subjectUnknown({ text, looked: 'backup or restore' })
  if (others.length > 0)
    throw subjectAmbiguous({
      text,
      candidates: [first, ...others].map(({ id, environment }) => `${id} (${environment})`),
    })
  return first
}

/**
 * The one run or deployment that a text means. In a repository `latest` is the newest run of its application, elsewhere that of the whole home.
 */
export async function findSubject(session: Session, q: Query, text: string, flag?: string): Promise<Subject> {
  const application = flag ?? (await applicationOfLatest(session, text))
  const found = await findSubjects(q, text, application)
  const [first, ...others] = found
  if (first === undefined && text === 'latest' && application !== undefined) throw latestMissing({ application })
  if (first === undefined) throw subjectUnknown({ text, looked: 'run or deployment' })
  if (others.length > 0)
    throw subjectAmbiguous({ text, candidates: found.map((subject) => `${subject.id} (${subject.application})`) })
  return first
}

/** The application that `latest` is of where a call names none; undefined outside of repositories, and for any other text. */
export async function applicationOfLatest(session: Session, text: string): Promise<string | undefined> {
  return text === 'latest' ? applicationHere(session.directory) : undefined
}
