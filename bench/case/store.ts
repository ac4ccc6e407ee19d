import { join } from 'node:path'
import type { BenchCase } from '../bench-case.ts'
import type { Row } from '../row.ts'

/** `bench/store.ts` in a process of its own, so that its hundred thousand rows are in nobody else's memory. */
export const store: BenchCase = {
  name: 'store',
  measure: async (world) => {
    const output = await world.run(world.node, [join(import.meta.dirname, '../store.ts'), '--json'])
    const line = output.split('\n').find((text) => text.startsWith('[{'))
    if (line === undefined) throw new Error(`bench/store.ts printed no rows:\n${output}`)
    return JSON.parse(line) as readonly Row[]
  },
}
