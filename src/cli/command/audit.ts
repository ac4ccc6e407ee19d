import { createHash } from 'node:crypto'
import { auditBreak, auditRoot } from '#core/audit/entry.ts'
import type { AuditBreak, AuditEntry } from '#core/audit/entry.ts'
import { flagInvalid } from '#core/known/cli.ts'
import { parseDuration } from '#core/project/duration.ts'
import { auditAfter, auditHead, listAudit } from '#store/audit.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { CommandPage } from '../command.ts'
import { readHome } from '../open-home.ts'
import { parseCount } from '../pairs.ts'
import { printList } from '../print-list.ts'
import type { Session } from '../session.ts'
import { age, exactTime } from '../time.ts'

const listDefault = 50
const rowsMax = 100_000
/** Entries that are checked at a time. */
const pieceMax = 1000

interface Flags {
  readonly app?: string
  readonly env?: string
  readonly actor?: string
  readonly subject?: string
  readonly since?: string
  readonly limit?: number
  readonly verify?: boolean
  readonly expect?: string
}

export const page: CommandPage = {
  description:
    'Lists who asked for what and what came of it: runs, deployments, approvals, locks, holds, releases. Each entry holds the hash of the one before, so --verify finds whatever was changed, taken out or put in.',
  examples: [
    { command: 'shipway audit', purpose: 'the latest entries' },
    { command: 'shipway audit --env production --since 30d', purpose: 'what happened to production in a month' },
    { command: 'shipway audit --verify', purpose: 'check the whole chain and print its head' },
    {
      command: 'shipway audit --verify --expect 3f0c…',
      purpose: 'the chain must still hold the entry with the hash that was noted before',
    },
  ],
  exits: [0, 1, 2],
  define: (command, act) => {
    command
      .option('--app <name>', 'only this application')
      .option('--env <name>', 'only this environment')
      .option('--actor <name>', 'only what this person did: a name, user@machine or the SHA256:… of a key')
      .option('--subject <id>', 'only this run, deployment or release')
      .option('--since <duration>', 'only what is not older, such as 24h or 30d')
      .option('--limit <n>', `how many (default ${listDefault})`, parseCount('--limit'))
      .option('--verify', 'check the chain')
      .option('--expect <hash>', 'with --verify: a hash that the chain must hold')
      .action(act(audit))
  },
}

async function audit(session: Session, flags: Flags): Promise<number> {
  return flags.verify === true || flags.expect !== undefined ? verify(session, flags.expect) : list(session, flags)
}

async function list(session: Session, flags: Flags): Promise<number> {
  const now = session.world.now()
  const ageMs = sinceOf(flags.since)
  const entries = await readHome(session, async (q) =>
    q === undefined
      ? []
      : listAudit(q, {
          limit: Math.min(flags.limit ?? listDefault, rowsMax),
          ...(flags.app === undefined ? {} : { application: flags.app }),
          ...(flags.env === undefined ? {} : { environment: flags.env }),
          ...(flags.actor === undefined ? {} : { actor: flags.actor }),
          ...(flags.subject === undefined ? {} : { subject: flags.subject }),
          ...(ageMs === undefined ? {} : { since: now - ageMs }),
        }),
  )
  printList<AuditEntry>(session, {
    kind: 'AuditList',
    rows: entries,
    columns: [
      { title: 'SEQ', screen: ({ seq }) => String(seq) },
      { title: 'WHEN', screen: ({ at }) => age(now, at), pipe: ({ at }) => exactTime(at) },
      { title: 'ACTOR', screen: ({ actor }) => actor, shrink: 3 },
      { title: 'ACTION', screen: ({ action }) => action },
      { title: 'WHERE', screen: (entry) => placeOf(entry) || '-', pipe: placeOf, shrink: 2 },
      { title: 'SUBJECT', screen: ({ subject }) => subject ?? '-', pipe: ({ subject }) => subject ?? '', shrink: 1 },
      { title: 'DETAIL', screen: detailOf, shrink: 4 },
    ],
    toJson: (entry) => ({ ...entry, at: exactTime(entry.at) }),
    idOf: ({ hash }) => hash,
    empty: 'Nothing was asked for yet, or nothing that matches.',
  })
  return 0
}

function sinceOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = parseDuration(text)
  if (ms === undefined) throw flagInvalid({ flag: '--since', value: text, expected: 'a time such as 24h or 30d' })
  return ms
}

function placeOf({ application, environment }: AuditEntry): string {
  return [application, environment].filter((part) => part !== undefined).join('/')
}

/** `outcome=accepted ref=refs/heads/main`: what is not said elsewhere and not empty. */
function detailOf({ detail }: AuditEntry): string {
  return Object.entries(detail)
    .flatMap(([name, value]) => {
      if (value === null || name === 'subjects' || name === 'ticket') return []
      return [`${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`]
    })
    .join(' ')
}

interface Verdict {
  readonly entries: number
  readonly head: string
  readonly broken?: AuditBreak
  /** Whether the expected hash stands in the chain; absent when none was given. */
  readonly isExpected?: boolean
}

async function verify(session: Session, expected: string | undefined): Promise<number> {
  const verdict = await readHome(session, async (q): Promise<Verdict> =>
    q === undefined ? { entries: 0, head: auditRoot } : checkChain(q, expected),
  )
  const isWhole = verdict.broken === undefined && verdict.isExpected !== false
  if (session.isJson) {
    session.printJson({ apiVersion: 'v1', kind: 'AuditVerification', isWhole, ...verdict })
  } else if (isWhole) {
    session.print(`${verdict.entries} entries, the chain is whole. Its head is ${verdict.head}`)
    session.say(
      'Note the head elsewhere: `shipway audit --verify --expect HASH` proves later that nothing before it was changed.',
    )
  } else if (verdict.broken === undefined) {
    session.print(
      `The chain is whole, but does not hold ${expected ?? ''}: it was written anew, or this is another one.`,
    )
  } else session.print(`The chain is broken at entry ${verdict.broken.seq}: ${verdict.broken.problem}.`)
  return isWhole ? 0 : 1
}

async function checkChain(q: Query, expected: string | undefined): Promise<Verdict> {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
  let last = { seq: 0, hash: auditRoot }
  let isFound = false
  for (;;) {
    const piece = await auditAfter(q, last.seq, pieceMax)
    const broken = auditBreak(piece, last, sha256)
    if (broken !== undefined) return { entries: last.seq, head: last.hash, broken }
    isFound ||= expected !== undefined && piece.some(({ hash }) => hash.startsWith(expected.toLowerCase()))
    last = piece.at(-1) ?? last
    if (piece.length < pieceMax) break
  }
  const head = await auditHead(q)
  const found = expected === undefined ? {} : { isExpected: isFound }
  if (head.seq === last.seq && head.hash === last.hash) return { entries: last.seq, head: last.hash, ...found }
  const problem = `it is missing: the chain went on to entry ${head.seq}`
  return { entries: last.seq, head: last.hash, broken: { seq: last.seq + 1, problem } }
}
