import { createInterface } from 'node:readline/promises'
import { confirmationDeclined, confirmationNeeded } from '#core/known/cli.ts'
import type { Session } from './session.ts'

/**
 * Asks before something that others will notice. `--yes` answers in advance; without it and without somebody to ask the call is refused
 * with the flag that is missing: it never hangs.
 */
export async function confirm(session: Session, question: string, isAnswered: boolean): Promise<void> {
  if (isAnswered) return
  const { world } = session
  if (!world.stdinIsTTY) throw confirmationNeeded({ question, flag: '--yes' })
  world.stderr.write(`${question}? [y/N] `)
  const answer = await readLine(session)
  if (!/^y(?:es)?$/i.test(answer.trim())) throw confirmationDeclined()
}

async function readLine(session: Session): Promise<string> {
  const lines = createInterface({ input: session.world.stdin, terminal: false })
  try {
    for await (const line of lines) return line
    return ''
  } finally {
    lines.close()
  }
}
