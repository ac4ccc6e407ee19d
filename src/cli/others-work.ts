import type { DeploymentSummary } from '#core/view/model.ts'
import { shortVersion } from '#core/view/name.ts'
import { viewDeployments } from '#store/view.ts'
import { readHome } from './open-home.ts'
import type { Session } from './session.ts'

/** A deployment of others, as far as it was told of. */
type Told = 'nothing' | 'begun' | 'ended'

/**
 * Says whose work this process carries out while it is the agent of a home: a deployment that waited for its time, or whose terminal is gone, must
 * not go to production under a command that is about something else without a word.
 */
export class OthersWork implements AsyncDisposable {
  readonly #session: Session
  readonly #since: number
  readonly #own = new Set<string>()
  readonly #told = new Map<string, Told>()
  #tell: (line: string) => void
  /** Not before it is known what is one's own. */
  #early: Set<string> | undefined = new Set()
  /** One look at a time, so that a beginning is told before its end. */
  #looks: Promise<void> = Promise.resolve()

  constructor(session: Session) {
    this.#session = session
    this.#since = session.world.now()
    this.#tell = (line) => session.say(line.trimEnd())
  }

  /** Something was changed by this process. */
  hear(subject: string): void {
    if (!subject.startsWith('dep_') || this.#own.has(subject) || this.#told.get(subject) === 'ended') return
    if (this.#early === undefined) this.#look(subject)
    else this.#early.add(subject)
  }

  /** What the call itself is about, and whatever those runs ask for, is shown by other means. */
  leaveOut(subjects: readonly string[]): void {
    for (const subject of subjects) this.#own.add(subject)
    const early = this.#early ?? []
    this.#early = undefined
    for (const subject of early) this.hear(subject)
  }

  /** While a screen is there, lines go through it. */
  tellOn(write: (line: string) => void): Disposable {
    const before = this.#tell
    this.#tell = write
    return { [Symbol.dispose]: () => (this.#tell = before) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#looks
  }

  #look(subject: string): void {
    // Telling is not what was asked for: what cannot be read now is no reason to fail.
    this.#looks = this.#looks.then(async () => this.#read(subject)).catch(() => undefined)
  }

  async #read(subject: string): Promise<void> {
    const [found] = await readHome(this.#session, async (q) =>
      q === undefined ? [] : viewDeployments(q, { id: subject, limit: 1 }),
    )
    // A look that was asked for before its end was told comes after it.
    if (found === undefined || this.#told.get(subject) === 'ended') return
    if (found.run !== undefined && this.#own.has(found.run)) {
      this.#own.add(subject)
      return
    }
    const told = this.#told.get(subject) ?? 'nothing'
    if (told === 'nothing' && isUnderWay(found, this.#since)) {
      this.#tell(`also carrying on: ${nameOf(found)}, which ${found.requestedBy} asked for (${subject})\n`)
      this.#told.set(subject, 'begun')
    }
    if (found.state !== 'done' || !this.#told.has(subject)) return
    this.#told.set(subject, 'ended')
    const why = found.reason === undefined ? '' : `: ${found.reason.message}`
    this.#tell(`${nameOf(found)} of ${found.requestedBy} has ended: ${found.conclusion ?? 'done'}${why} (${subject})\n`)
  }
}

/** It changes something, or did so since: one that waits, or is refused by a rule, does not. */
function isUnderWay({ state, startedAt, finishedAt }: DeploymentSummary, since: number): boolean {
  if (state === 'done') return startedAt !== undefined && (finishedAt ?? 0) >= since
  return state !== 'waiting' && state !== 'queued'
}

function nameOf({ mode, version, application, environment }: DeploymentSummary): string {
  return `${mode} ${shortVersion(version)} of ${application} → ${environment}`
}
