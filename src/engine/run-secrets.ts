import { homeLayout } from '#core/home/layout.ts'
import { isJsonObject } from '#core/json.ts'
import type { Json } from '#core/json.ts'
import { secretsUnreadable } from '#core/known/run.ts'
import { parseTicketFileName, ticketMadeAt } from '#core/ticket/envelope.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import { loadTicket } from '#store/ticket.ts'
import type { AgentContext } from './context.ts'

/** How long a ticket may come after its secrets; between the two writes are milliseconds. Ten minutes. */
const ticketLateMsMax = 600_000

/** Values of a ticket's secrets: a file of its own, mode 0600, never a row, a ticket or an argument. Removed when its runs have ended. */
export function saveSecrets(files: HomeFiles, ticket: string, secrets: Readonly<Record<string, string>>): void {
  if (Object.keys(secrets).length > 0) files.write(secretsPath(ticket), JSON.stringify(secrets), 0o600)
}

/** Throws SECRETS_UNREADABLE. */
export function loadSecrets(files: HomeFiles, ticket: string): Readonly<Record<string, string>> {
  const text = files.readText(secretsPath(ticket))
  if (text === undefined) return {}
  const secrets = parseObject(text)
  if (secrets === undefined) throw secretsUnreadable({ file: secretsPath(ticket) })
  return secrets
}

/** Undefined for anything but an object of texts. The error of the parser quotes what it reads: it goes nowhere. */
function parseObject(text: string): Readonly<Record<string, string>> | undefined {
  try {
    const value = JSON.parse(text) as Json
    const isFit = isJsonObject(value) && Object.values(value).every((one) => typeof one === 'string')
    return isFit ? (value as Record<string, string>) : undefined
  } catch {
    return undefined
  }
}

export function removeSecrets(files: HomeFiles, ticket: string): void {
  files.remove(secretsPath(ticket))
}

/**
 * Removes the secrets of tickets that never came: whoever handed them in was killed between the two files. A ticket that is only late is safe: its
 * id says when it was made.
 */
export async function sweepSecrets(context: Pick<AgentContext, 'files' | 'clock' | 'store'>): Promise<void> {
  const { files, clock, store } = context
  const names = files.list(homeLayout.secrets).filter((name) => name.endsWith('.json'))
  if (names.length === 0) return
  const waiting = [homeLayout.inbox, homeLayout.processing].flatMap((folder) => files.list(folder))
  for (const name of names) {
    const ticket = name.slice(0, -'.json'.length)
    const madeAt = ticketMadeAt(ticket)
    if (madeAt === undefined || clock.now() - madeAt < ticketLateMsMax) continue
    if (waiting.some((fileName) => parseTicketFileName(fileName)?.id === ticket)) continue
    if ((await loadTicket(store.query, ticket)) === undefined) removeSecrets(files, ticket)
  }
}

function secretsPath(ticket: string): string {
  return `${homeLayout.secrets}/${ticket}.json`
}
