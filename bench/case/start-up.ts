import type { BenchCase } from '../bench-case.ts'
import { measure } from '../compare.ts'
import { atMost, milliseconds } from '../row.ts'

/** The packed program against an empty Node: the price of every call. */
export const startUp: BenchCase = {
  name: 'start-up',
  measure: async ({ run, node, shipway, rounds }) => {
    const [version, help, empty] = await measure(
      [
        { name: 'shipway --version', run: async () => void (await run(shipway, ['--version'])) },
        { name: 'shipway --help', run: async () => void (await run(shipway, ['--help'])) },
        { name: 'node -e 0', run: async () => void (await run(node, ['-e', '0'])) },
      ],
      rounds * 3,
    )
    const note = `\`shipway --help\`: ${milliseconds(help!.medianMs)}`
    return [atMost(2.5, '`shipway --version`, packed', { ours: version!, reference: empty! }, note)]
  },
}
