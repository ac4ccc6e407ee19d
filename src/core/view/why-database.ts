import type { DatabaseWork } from '#core/backup/model.ts'
import { timeText } from '#core/environment/reasons.ts'
import { renderDuration } from './duration.ts'
import { shortDigest } from './name.ts'
import { renderSize } from './size.ts'
import { item } from './why-answer.ts'
import type { WhyAnswer, WhyItem } from './why-answer.ts'

/** Why a backup or a restore of a database was made, how it ended, and what it proves. */
export function whyDatabase(work: DatabaseWork): WhyAnswer {
  const { id, kind, environment, application, conclusion, reason } = work
  const ending: WhyItem[] =
    reason === undefined ? [] : [item(conclusion === 'failure' ? 'red' : 'note', environment, reason)]
  return {
    subject: `${kind} of ${application} on ${environment} (${id})`,
    state: conclusion ?? work.state,
    items: [...ending, item('note', environment, asked(work)), ...proof(work)],
  }
}

function asked({ requestedBy, createdAt, document, state, kind, id }: DatabaseWork): Parameters<typeof item>[2] {
  const { why, deployment, restore, backup, isUnsaved, tookMs } = document
  const before = deployment ?? restore
  const facts = [
    `${requestedBy} asked for it at ${timeText(createdAt)}${why === undefined ? '' : `: ${why}`}`,
    ...(before === undefined ? [] : [`it goes before ${before}`]),
    ...(backup === undefined ? [] : [`it brings back ${backup}`]),
    ...(isUnsaved === true ? ['what was there was not backed up before'] : []),
    ...(tookMs === undefined ? [] : [`it took ${renderDuration(tookMs)}`]),
  ]
  return {
    code: 'DATABASE_WORK_ASKED',
    message: `${facts.join('; ')}.`,
    ...(state === 'done' ? {} : { hint: `It goes on by itself; \`shipway cancel ${id}\` stops the ${kind}.` }),
  }
}

/** What a backup holds, and that it can be brought back. */
function proof({ id, environment, document, removedAt, conclusion }: DatabaseWork): readonly WhyItem[] {
  const { facts } = document
  if (facts === undefined || conclusion !== 'success') return []
  const rows = facts.tables.reduce((sum, table) => sum + table.rows, 0)
  const message = `${facts.database} with ${rows} rows in ${facts.tables.length} tables (PostgreSQL ${facts.server}), ${renderSize(facts.size)}, sha256 ${shortDigest(facts.digest)}: restored into a scratch database, every table had its rows.`
  if (removedAt !== undefined)
    return [
      item('note', environment, { code: 'BACKUP_PROVED', message }),
      item('note', environment, {
        code: 'BACKUP_REMOVED',
        message: `Its file was removed at ${timeText(removedAt)}, because newer ones were enough.`,
        hint: `shipway backup list ${environment}`,
      }),
    ]
  return [item('note', environment, { code: 'BACKUP_PROVED', message, hint: `shipway restore ${environment} ${id}` })]
}
