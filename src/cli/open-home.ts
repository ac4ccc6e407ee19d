import { homeEmpty, subjectAmbiguous, subjectUnknown } from '#core/known/cli.ts'
import { findSubjects } from '#store/view.ts'
import type { Subject } from '#store/view.ts'
import type { Query } from '#ports/sql-driver.ts'
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

/** The one run or deployment that a text means. */
export async function findSubject(q: Query, text: string, application?: string): Promise<Subject> {
  const found = await findSubjects(q, text, application)
  const [first, ...others] = found
  if (first === undefined) throw subjectUnknown({ text, looked: 'run or deployment' })
  if (others.length > 0)
    throw subjectAmbiguous({ text, candidates: found.map((subject) => `${subject.id} (${subject.application})`) })
  return first
}
