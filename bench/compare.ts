import { performance } from 'node:perf_hooks'

/** Something that is measured. `run` may return the milliseconds itself, where the whole call is not what counts. */
export interface Contender {
  readonly name: string
  readonly run: () => Promise<number | void>
}

export interface Sample {
  readonly name: string
  readonly medianMs: number
  readonly minMs: number
  readonly maxMs: number
  readonly runs: number
}

export interface Comparison {
  readonly ours: Sample
  readonly reference: Sample
}

/**
 * Runs contenders in turn, so that whatever else the machine does meets all of them, and takes medians. The first round
 * warms up and does not count; every round starts with another contender.
 */
export async function measure(contenders: readonly Contender[], rounds: number): Promise<readonly Sample[]> {
  const times = contenders.map((): number[] => [])
  for (let round = 0; round <= rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round) % contenders.length
      const elapsed = await time(contenders[index]!)
      if (round > 0) times[index]!.push(elapsed)
    }
  }
  return contenders.map(({ name }, index) => summarise(name, times[index]!))
}

/** Two contenders, by their roles. */
export async function compare(ours: Contender, reference: Contender, rounds: number): Promise<Comparison> {
  const [first, second] = await measure([ours, reference], rounds)
  return { ours: first!, reference: second! }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

async function time({ run }: Contender): Promise<number> {
  const started = performance.now()
  const own = await run()
  return own ?? performance.now() - started
}

function summarise(name: string, times: readonly number[]): Sample {
  return { name, medianMs: median(times), minMs: Math.min(...times), maxMs: Math.max(...times), runs: times.length }
}
