import { withoutColours } from '#core/matcher/matcher.ts'
import type { MatchValues, MatcherModel } from '#core/matcher/model.ts'
import { MatcherWorker } from './matcher-worker.ts'
import type { Found } from './conversation.ts'

/** Time for one expression on one line, and how often it may be exceeded, as in GitHub's runner (actions-semantics 87). */
const patienceMs = 1000
const timeoutsMax = 3

/** A line in which a matcher found something. */
export interface MatchedLine {
  /** Without colours. */
  readonly text: string
  readonly values: MatchValues
}

/** The problem matchers of a job: steps add and remove them, and all output that follows is searched, the newest matcher first. */
export class ProblemMatchers implements Disposable {
  readonly #warn: (message: string) => void
  #models: readonly MatcherModel[] = []
  #worker: MatcherWorker | undefined

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  get isEmpty(): boolean {
    return this.#models.length === 0
  }

  /** One with the name of another replaces it. */
  add(models: readonly MatcherModel[]): void {
    const names = new Set(models.map(({ owner }) => owner.toLowerCase()))
    this.#replace([...models.toReversed(), ...this.#models.filter(({ owner }) => !names.has(owner.toLowerCase()))])
  }

  remove(owners: readonly string[]): void {
    const names = new Set(owners.map((owner) => owner.toLowerCase()))
    this.#replace(this.#models.filter(({ owner }) => !names.has(owner.toLowerCase())))
  }

  /** Searches whole lines of one stream. By the index of the line; waits for the answer, at most some seconds for each hostile matcher. */
  scan(stream: string, lines: readonly string[]): ReadonlyMap<number, MatchedLine> {
    const plain = lines.map((line) => withoutColours(line))
    const matched = new Map<number, MatchedLine>()
    const take = (found: readonly Found[], from: number): void => {
      for (const { line, values } of found) matched.set(from + line, { text: plain[from + line] ?? '', values })
    }
    let from = 0
    let timeouts = 0
    while (from < plain.length && !this.isEmpty) {
      this.#worker ??= new MatcherWorker(this.#models)
      const result = this.#worker.scan(stream, plain.slice(from), patienceMs)
      if (result.kind === 'found') {
        take(result.found, from)
        break
      }
      if (result.kind === 'dead') {
        this.#replace([])
        this.#warn('Problem matchers are left out: the thread that would search with them does not start.')
        break
      }
      // What was found before the line is asked for again: an answer comes as a whole or not at all.
      this.#end()
      if (result.line > 0) {
        this.#worker = new MatcherWorker(this.#models)
        const before = this.#worker.scan(stream, plain.slice(from, from + result.line), patienceMs)
        if (before.kind === 'found') take(before.found, from)
        from += result.line
      }
      timeouts += 1
      if (timeouts >= timeoutsMax) {
        this.#drop(result.matcher)
        timeouts = 0
      }
    }
    return matched
  }

  [Symbol.dispose](): void {
    this.#end()
  }

  #drop(index: number): void {
    const owner = this.#models[index]?.owner ?? ''
    this.#replace(this.#models.filter((_, at) => at !== index))
    this.#warn(
      `Removing issue matcher '${owner}'. Matcher failed ${timeoutsMax} times: it takes longer than ${patienceMs} ms for a line.`,
    )
  }

  #replace(models: readonly MatcherModel[]): void {
    this.#models = models
    this.#end()
  }

  #end(): void {
    this.#worker?.end()
    this.#worker = undefined
  }
}
