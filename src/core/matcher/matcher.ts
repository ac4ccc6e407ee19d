import { matchFields } from './model.ts'
import type { MatchValues, MatcherModel, MatcherPattern } from './model.ts'

/**
 * A matcher at work on the lines of one stream. Several patterns match lines that follow each other, and each adds what it knows:
 *
 *     line 1 ─first─► running match ─second─► … ─last─► match      (loop: the last one again, with the same running match)
 */
export class Matcher {
  readonly owner: string
  readonly #severity: string
  readonly #patterns: readonly MatcherPattern[]
  readonly #expressions: readonly RegExp[]
  /** What the patterns before the last one have found so far. */
  #running: (MatchValues | undefined)[] = []

  constructor(model: MatcherModel) {
    this.owner = model.owner
    this.#severity = model.severity
    this.#patterns = model.patterns
    this.#expressions = model.patterns.map(({ regexp }) => new RegExp(regexp))
  }

  /** What the line completes; undefined when it completes nothing. `beforeEach` is called before an expression is tried: it may take for ever. */
  match(line: string, beforeEach: () => void = () => {}): MatchValues | undefined {
    const last = this.#patterns.length - 1
    for (let index = last; index >= 0; index -= 1) {
      const running = index === 0 ? {} : this.#running[index - 1]
      const pattern = this.#patterns[index]
      if (running === undefined || pattern === undefined) continue
      beforeEach()
      const groups = this.#expressions[index]?.exec(line) ?? null
      if (index === last && groups !== null) return this.#complete(running, pattern, groups)
      if (index === last) this.#running[index - 1] = undefined
      else this.#running[index] = groups === null ? undefined : addGroups(running, pattern, groups)
    }
    return undefined
  }

  /** Another matcher has taken the line. */
  reset(): void {
    this.#running = []
  }

  #complete(running: MatchValues, pattern: MatcherPattern, groups: RegExpExecArray): MatchValues {
    const before = this.#patterns.length - 2
    this.reset()
    if (pattern.loop) this.#running[before] = running
    const values = addGroups(running, pattern, groups)
    return (values.severity ?? '') === '' ? { ...values, severity: this.#severity } : values
  }
}

function addGroups(running: MatchValues, pattern: MatcherPattern, groups: RegExpExecArray): MatchValues {
  const values: MatchValues = { ...running }
  for (const field of matchFields) {
    const group = pattern[field]
    if (group !== undefined && values[field] === undefined) values[field] = groups[group] ?? ''
  }
  return values
}

/** Colours and other settings of a terminal: matchers see lines without them. */
const escape = String.fromCodePoint(27)
const colours = new RegExp(String.raw`${escape}\[[0-9;]*m?`, 'g')

/** A line without what colours it. */
export function withoutColours(line: string): string {
  return line.includes(escape) ? line.replaceAll(colours, '') : line
}
