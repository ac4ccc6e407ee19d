/** How much of a build came from the cache: told, and never judged. */
export interface BuildCount {
  readonly steps: number
  readonly cached: number
}

/** Characters of a line that are looked at. */
const lineLengthMax = 4096

/**
 * Counts the steps of a build in what docker prints, of both builders. Steps that do nothing but begin a stage or name
 * something (FROM, ARG, LABEL …) are left out: they cost nothing.
 */
export class BuildCounter {
  #rest = ''
  #isStep = false
  #steps = 0
  #cached = 0
  readonly #numbers = new Set<string>()

  add(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = (lines.pop() ?? '').slice(0, lineLengthMax)
    for (const line of lines) this.#read(line.slice(0, lineLengthMax))
  }

  count(): BuildCount {
    return { steps: this.#steps, cached: this.#cached }
  }

  #read(line: string): void {
    // The classic builder: `Step 2/7 : RUN …`, and below it ` ---> Using cache`.
    const classic = /^Step \d+\/\d+ : (\w+)/.exec(line)
    if (classic !== null) {
      this.#isStep = isWork(classic[1] ?? '')
      if (this.#isStep) this.#steps += 1
    } else if (this.#isStep && line.trim() === '---> Using cache') {
      this.#cached += 1
      this.#isStep = false
    }
    // BuildKit: `#7 [builder 2/3] RUN …`, and later `#7 CACHED`.
    const named = /^#(\d+) \[[^\]]+\] (\w+)/.exec(line)
    if (named !== null && isWork(named[2] ?? '') && !this.#numbers.has(named[1] ?? '')) {
      this.#numbers.add(named[1] ?? '')
      this.#steps += 1
    }
    const cached = /^#(\d+) CACHED$/.exec(line.trim())
    if (cached !== null && this.#numbers.has(cached[1] ?? '')) this.#cached += 1
  }
}

function isWork(instruction: string): boolean {
  return ['RUN', 'COPY', 'ADD'].includes(instruction.toUpperCase())
}
