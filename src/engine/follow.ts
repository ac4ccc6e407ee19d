import { homeLayout } from '#core/home/layout.ts'
import type { StoredEvent } from '#core/run/event.ts'
import { parseLogIndex } from '#core/step/log-index.ts'
import { loadEvents } from '#store/event.ts'
import type { FollowOptions } from '#ports/agent-client.ts'
import type { HomeFiles } from '#ports/home-files.ts'
import type { Query } from '#ports/sql-driver.ts'

const eventsAtOnce = 500
const logBytesAtOnce = 256 * 1024

/**
 * Reads the history of a run (and of the deployments that it asked for) from the store, and the logs of its jobs from their files, from the
 * beginning and as they grow. It keeps its place; `read` brings what is new and can be called as often as one likes.
 */
export class Follower {
  readonly #files: HomeFiles
  readonly #options: Pick<FollowOptions, 'logs' | 'deployments' | 'onItem'>
  readonly #places = new Map<string, number>()
  readonly #logs = new Map<string, GrowingLog>()
  readonly #states = new Map<string, 'running' | 'waiting' | 'done'>()
  readonly #subject: string

  constructor(files: HomeFiles, subject: string, options: Pick<FollowOptions, 'logs' | 'deployments' | 'onItem'>) {
    this.#files = files
    this.#subject = subject
    this.#options = options
    this.#places.set(subject, 0)
    this.#states.set(subject, 'running')
  }

  /** What the history says of the subject so far: `waiting` when it, or the deployment that it waits for, needs a person. */
  get state(): 'running' | 'waiting' | 'done' {
    const own = this.#states.get(this.#subject) ?? 'running'
    const others = [...this.#states].filter(([subject]) => subject !== this.#subject).map(([, state]) => state)
    if (others.includes('running')) return 'running'
    return others.includes('waiting') ? 'waiting' : own
  }

  /** Everything that it follows: the subject itself and its deployments. */
  has(subject: string): boolean {
    return this.#places.has(subject)
  }

  /** Reports what is new: events in order, and before the end of a job the rest of its log. */
  async read(query: Query): Promise<void> {
    for (const subject of this.#places.keys()) await this.#readEvents(query, subject)
    for (const key of this.#logs.keys()) await this.#readLog(key)
  }

  async #readEvents(query: Query, subject: string): Promise<void> {
    for (;;) {
      const after = this.#places.get(subject) ?? 0
      const events = await loadEvents(query, subject, after, eventsAtOnce)
      for (const stored of events) {
        await this.#note(stored)
        await this.#options.onItem({ kind: 'event', stored })
        this.#places.set(subject, stored.seq)
      }
      if (events.length < eventsAtOnce) return
    }
  }

  async #note({ subject, event }: StoredEvent): Promise<void> {
    switch (event.type) {
      case 'job.started':
        this.#logs.set(
          event.key,
          new GrowingLog(this.#files, { runId: subject, jobKey: event.key, attempt: event.attempt }),
        )
        this.#states.set(subject, 'running')
        return
      case 'step.started':
      case 'step.finished':
        this.#logs.get(event.key)?.reach(event.step.number)
        if (event.type === 'step.finished') await this.#readLog(event.key)
        return
      case 'job.finished':
      case 'job.lost':
        if (this.#options.logs) await this.#logs.get(event.key)?.finish(this.#options.onItem)
        this.#logs.delete(event.key)
        return
      case 'deployment.requested':
        if (this.#options.deployments && !this.#places.has(event.deployment)) {
          this.#places.set(event.deployment, 0)
          this.#states.set(event.deployment, 'running')
        }
        return
      case 'run.restarted':
      case 'job.ready':
      case 'deployment.phase':
        this.#states.set(subject, 'running')
        return
      case 'run.waiting':
      case 'deployment.waiting':
        this.#states.set(subject, 'waiting')
        return
      case 'run.settled':
      case 'deployment.finished':
      case 'database.finished':
        this.#states.set(subject, 'done')
        return
      default:
    }
  }

  async #readLog(key: string): Promise<void> {
    if (this.#options.logs) await this.#logs.get(key)?.read(this.#options.onItem)
  }
}

/**
 * A log file that is still written: hands out whole lines and keeps a started one until its end is there. It stops before the lines of a step
 * that the history has not told of yet, so that what is shown stays in order.
 */
class GrowingLog {
  readonly #files: HomeFiles
  readonly #of: { readonly runId: string; readonly jobKey: string; readonly attempt: number }
  readonly #decoder = new TextDecoder()
  #offset = 0
  #rest = ''
  #step = 0
  #indexOffset = 0
  #indexRest = ''
  /** Where the lines of later steps begin: offset by offset, in order. */
  #boundaries: { readonly offset: number; readonly step: number }[] = []

  constructor(files: HomeFiles, of: { readonly runId: string; readonly jobKey: string; readonly attempt: number }) {
    this.#files = files
    this.#of = of
  }

  /** The history has told of this step. */
  reach(step: number): void {
    this.#step = Math.max(this.#step, step)
    this.#boundaries = this.#boundaries.filter((boundary) => boundary.step > this.#step)
  }

  async read(onItem: FollowOptions['onItem']): Promise<void> {
    const path = homeLayout.log(this.#of.runId, this.#of.jobKey, this.#of.attempt)
    for (;;) {
      const bytes = this.#files.readFrom(path, this.#offset, logBytesAtOnce)
      if (bytes.length === 0) return
      // The index is read after the text: a boundary inside the bytes is in it, because a writer notes it first.
      this.#readIndex(`${path}.idx`)
      const end = Math.min(this.#offset + bytes.length, this.#boundaries[0]?.offset ?? Infinity)
      if (end <= this.#offset) return
      const text = this.#rest + this.#decoder.decode(bytes.subarray(0, end - this.#offset), { stream: true })
      this.#offset = end
      const lineEnd = text.lastIndexOf('\n') + 1
      this.#rest = text.slice(lineEnd)
      if (lineEnd > 0) await onItem({ kind: 'log', ...this.#of, text: text.slice(0, lineEnd) })
    }
  }

  /** The job has ended: all that is left, the last line too when it has no end. */
  async finish(onItem: FollowOptions['onItem']): Promise<void> {
    this.reach(Infinity)
    await this.read(onItem)
    if (this.#rest !== '') await onItem({ kind: 'log', ...this.#of, text: `${this.#rest}\n` })
    this.#rest = ''
  }

  #readIndex(path: string): void {
    const bytes = this.#files.readFrom(path, this.#indexOffset, logBytesAtOnce)
    this.#indexOffset += bytes.length
    const text = this.#indexRest + new TextDecoder().decode(bytes)
    const end = text.lastIndexOf('\n') + 1
    this.#indexRest = text.slice(end)
    for (const record of parseLogIndex(text.slice(0, end))) if (record.step > this.#step) this.#boundaries.push(record)
  }
}
