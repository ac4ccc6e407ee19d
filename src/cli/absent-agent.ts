import { viewDeployments, viewRuns } from '#store/view.ts'
import type { Query } from '#ports/sql-driver.ts'
import type { WhyItem } from '#core/view/why-answer.ts'
import type { Session } from './session.ts'

/** Open runs and deployments that are looked at. */
const openMax = 200

/**
 * What to tell when something of a home is under way and no agent works on it: its process was killed, or its machine went down. Undefined
 * when all is well; what waits for a person needs no agent until that person comes.
 */
export async function absentAgent(session: Session, q: Query | undefined): Promise<WhyItem | undefined> {
  if (q === undefined) return undefined
  const runs = await viewRuns(q, { isOpen: true, limit: openMax })
  const deployments = await viewDeployments(q, { isOpen: true, limit: openMax })
  const underWay = [...runs, ...deployments].filter(({ state }) => state !== 'waiting').map(({ id }) => id)
  if (underWay.length === 0 || (await session.services.agentStatus(session.home)).isAlive) return undefined
  const [first = '', ...others] = underWay
  const what = others.length === 0 ? first : `${first} and ${others.length} more`
  return {
    state: 'waiting',
    about: 'agent',
    rule: 'AGENT_ABSENT',
    message: `No agent works on what is under way (${what}).`,
    fix: '`shipway agent --until-quiet` carries it on.',
  }
}

/** The same as a warning beside a list. */
export async function warnOfAbsentAgent(session: Session, q: Query | undefined): Promise<void> {
  const item = await absentAgent(session, q)
  if (item !== undefined) session.warn(`${item.message} ${item.fix ?? ''}`)
}
