import { KnownError } from '#core/errors.ts'
import { toText } from '#core/expression/text.ts'
import { newestTimeIn } from '#core/trigger/schedule.ts'
import type { RunRequest } from '#core/ticket/model.ts'
import type { ScheduleModel } from '#core/workflow/model.ts'
import { listApplications } from '#store/application.ts'
import type { StoredApplication } from '#store/application.ts'
import { listRuns, loadRun } from '#store/run.ts'
import { loadTicket } from '#store/ticket.ts'
import type { AgentContext } from './context.ts'
import { derivedTicket, derivedTicketId, enqueue } from './enqueue.ts'
import { loadCommit } from './load-workflows.ts'

/** A time that was missed for so long is made up for: an agent that is restarted loses none, and one that was away for a week does not catch up. */
const lateMsMax = 60 * 60 * 1000

/** Who asked, in the history of a run that a schedule has started. */
const requestedBy = 'schedule'

interface Scheduled {
  readonly file: string
  readonly schedule: ScheduleModel
}

interface Tip {
  readonly branch: string
  readonly sha: string
  readonly scheduled: readonly Scheduled[]
}

type WatchContext = Pick<AgentContext, 'store' | 'files' | 'git' | 'clock' | 'sha256'>

/**
 * Starts the schedules of all repositories whose `shipway.yml` is in force in this home, as the workflow files of the newest commit of their default
 * branch say. The ticket of a time has an id made from that time, so however often it is handed in, and by whichever agent, the ledger
 * admits it once.
 */
export class ScheduleWatch {
  readonly #context: WatchContext
  /** What was read of a commit; a commit never changes. */
  readonly #tips = new Map<string, Tip>()
  /** Tickets that this agent has handed in, or found in the ledger. */
  readonly #done = new Set<string>()

  constructor(context: WatchContext) {
    this.#context = context
  }

  /** Hands in a ticket for every schedule whose newest time has come and has none. Returns what could not be looked at, and why. */
  async fire(): Promise<readonly string[]> {
    const problems: string[] = []
    for (const application of await listApplications(this.#context.store.query)) {
      try {
        const tip = await this.#tipOf(application)
        if (tip === undefined) problems.push(notLookedAt(application, 'its repository has no branch, or is gone.'))
        else await this.#fireOf(application, tip)
      } catch (error) {
        if (!(error instanceof KnownError)) throw error
        problems.push(notLookedAt(application, error.message))
      }
    }
    return problems
  }

  async #fireOf(application: StoredApplication, tip: Tip): Promise<void> {
    const now = this.#context.clock.now()
    for (const { file, schedule } of tip.scheduled) {
      const due = newestTimeIn(schedule, hourBefore(now), now)
      if (due === undefined || now - due > lateMsMax) continue
      const cause = ['schedule', application.name, file, schedule.cron, schedule.timezone ?? '', String(due)]
      const id = derivedTicketId(this.#context.sha256, ...cause)
      if (await this.#isDone(id)) continue
      const request = await this.#requestFor(application, tip, { file, schedule })
      enqueue(this.#context, derivedTicket(this.#context, { cause, priority: 'P3', requestedBy, request }))
      this.#done.add(id)
    }
  }

  async #isDone(id: string): Promise<boolean> {
    if (this.#done.has(id)) return true
    const isAdmitted = (await loadTicket(this.#context.store.query, id)) !== undefined
    if (isAdmitted) this.#done.add(id)
    return isAdmitted
  }

  async #tipOf({ repository }: StoredApplication): Promise<Tip | undefined> {
    const branch = await this.#context.git.defaultBranch(repository)
    const [sha] = branch?.tips ?? []
    if (branch === undefined || sha === undefined) return undefined
    const known = this.#tips.get(repository)
    if (known?.sha === sha && known.branch === branch.name) return known
    const { workflows } = await loadCommit(this.#context, repository, sha)
    const scheduled = workflows.flatMap(({ file, model }) =>
      (model?.triggers ?? []).flatMap(({ schedules = [] }) => schedules.map((schedule) => ({ file, schedule }))),
    )
    const tip = { branch: branch.name, sha, scheduled }
    this.#tips.set(repository, tip)
    return tip
  }

  /** What a person would have to say is taken from the newest run of the application: name of the repository, variables, platforms. No secrets. */
  async #requestFor(
    { name, repository }: StoredApplication,
    { branch, sha }: Tip,
    { file, schedule }: Scheduled,
  ): Promise<RunRequest> {
    const { query } = this.#context.store
    const [newest] = await listRuns(query, { application: name, limit: 1 })
    const before = newest === undefined ? undefined : (await loadRun(query, newest.id))?.document
    return {
      kind: 'run',
      application: name,
      repositoryName: before === undefined ? `local/${name}` : toText(before.github['repository'] ?? null),
      repository,
      event: {
        name: 'schedule',
        ref: `refs/heads/${branch}`,
        sha,
        defaultBranch: branch,
        payload: { schedule: schedule.cron },
      },
      actor: requestedBy,
      dirty: false,
      workflows: [file],
      vars: before?.vars ?? {},
      env: {},
      secretNames: [],
      platforms: before?.platforms ?? {},
    }
  }
}

function notLookedAt({ name, repository }: StoredApplication, why: string): string {
  return `Schedules of ${name} (${repository}) are not looked at: ${why}`
}

/** From the beginning of an hour: a schedule that names too many times is thinned out the same way however often it is asked. */
function hourBefore(now: number): number {
  return Math.floor((now - lateMsMax) / lateMsMax) * lateMsMax - 1
}
