import type { Reason } from '#core/reason.ts'
import { claimingJob, groupQueueMax } from './group.ts'
import type { Claimant, GroupNews } from './group.ts'

/** How a run is called: `run #3 CI`. */
export interface RunName {
  readonly number: number
  readonly workflow: string
}

export interface GroupFacts {
  readonly group: string
  /** Names of the runs that the news speak of. */
  readonly names: ReadonlyMap<string, RunName>
}

/** Why a run or a job waits for its group, loses its place in it, or may not have one. Undefined when it has entered. */
export function groupReason(news: GroupNews, { group, names }: GroupFacts): Reason | undefined {
  const quoted = `the concurrency group "${group}"`
  switch (news.kind) {
    case 'entered':
      return undefined
    case 'waits': {
      const line = news.ahead === 0 ? '' : `, and ${news.ahead} more ${news.ahead === 1 ? 'comes' : 'come'} first`
      return {
        code: 'CONCURRENCY_TAKEN',
        message: `Waits for ${quoted}: ${claimantName(news.behind, names)} has it${line}.`,
        hint: `\`shipway cancel ${news.behind.run}\` ends that run; the group is free when it has ended.`,
      }
    }
    case 'ousted':
      return {
        code: 'CONCURRENCY_REPLACED',
        message: `${sentence(claimantName(news.by, names))} has taken its place in the line for ${quoted}.`,
        hint: '`queue: max` in the workflow keeps all that wait.',
      }
    case 'cancelled':
      return {
        code: 'CONCURRENCY_CANCELLED',
        message: `${sentence(claimantName(news.by, names))} cancels what is in progress in ${quoted}.`,
        hint: '`cancel-in-progress: false` in the workflow lets it finish.',
      }
    case 'full':
      return {
        code: 'CONCURRENCY_FULL',
        message: `${groupQueueMax} wait for ${quoted} already, as many as may.`,
        hint: 'Start it again when the line is shorter (`shipway ps`), or use more groups.',
      }
    case 'circle': {
      const runs = news.runs.map((run) => claimantName({ run, job: '' }, names))
      return {
        code: 'CONCURRENCY_CIRCLE',
        message: `It would wait for ever for ${quoted}: ${runs.join(', which waits for ')}, which waits for the first.`,
        hint: 'Let the workflows take their groups in the same order, or use one group for all of it.',
      }
    }
  }
}

/** A job whose group is that of its own run (or of the job that called it) would wait for itself. */
export function ownGroupReason(group: string): Reason {
  return {
    code: 'CONCURRENCY_OWN_GROUP',
    message: `The concurrency group "${group}" belongs to its own run already: it would wait for itself.`,
    hint: 'Give the job a group of its own, or leave one of the two "concurrency" out.',
  }
}

function claimantName({ run, job }: Claimant, names: GroupFacts['names']): string {
  const name = names.get(run)
  const ofRun = name === undefined ? run : `run #${name.number} ${name.workflow}`
  return job === '' ? ofRun : `job "${claimingJob(job)}" of ${ofRun}`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
