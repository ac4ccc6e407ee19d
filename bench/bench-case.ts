import type { BenchWorld } from './bench-world.ts'
import type { Row } from './row.ts'

/** One subject of the bench. A case that throws is a line of the table with the reason, not the end of the others. */
export interface BenchCase {
  /** For `npm run bench -- NAME…`. */
  readonly name: string
  readonly measure: (world: BenchWorld) => Promise<readonly Row[]>
}
