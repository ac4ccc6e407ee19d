/*
 * `npm run bench`, `npm run bench -- one-step needs-graph`, `npm run bench -- --rounds 3`: every number that we promise, as a
 * ratio of two things measured side by side in one run. Prints one Markdown table; the samples go to a temporary file.
 */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { BenchCase } from './bench-case.ts'
import { type BenchWorld, openBenchWorld } from './bench-world.ts'
import { cache } from './case/cache.ts'
import { deployOverSsh } from './case/deploy.ts'
import { deployTools } from './case/deploy-tools.ts'
import { fiftySteps } from './case/fifty-steps.ts'
import { idleAgent } from './case/idle-agent.ts'
import { millionLines } from './case/million-lines.ts'
import { needsGraph } from './case/needs-graph.ts'
import { oneStep } from './case/one-step.ts'
import { startUp } from './case/start-up.ts'
import { store } from './case/store.ts'
import { renderTable, type Row, skipped } from './row.ts'

const cases: readonly BenchCase[] = [
  startUp,
  oneStep,
  fiftySteps,
  needsGraph,
  millionLines,
  idleAgent,
  store,
  cache,
  deployOverSsh,
  deployTools,
]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' } },
})
const rounds = Number(values.rounds)
const unknown = positionals.filter((name) => !cases.some((benchCase) => benchCase.name === name))
if (unknown.length > 0 || !Number.isInteger(rounds) || rounds < 1) {
  const names = cases.map(({ name }) => name).join(', ')
  console.error(`usage: npm run bench -- [--rounds N] [CASE…]\ncases: ${names}`)
  process.exit(2)
}

await using world = await openBenchWorld(rounds)
const rows: Row[] = []
for (const benchCase of cases) {
  if (positionals.length > 0 && !positionals.includes(benchCase.name)) continue
  console.error(`measuring ${benchCase.name} …`)
  rows.push(...(await measureCase(benchCase, world)))
}
console.log(`Node ${process.version}, ${availableParallelism()} cores, medians of ${rounds} rounds.\n`)
console.log(renderTable(rows))

const results = join(await mkdtemp(join(tmpdir(), 'shipway-bench-results-')), 'results.json')
await writeFile(results, `${JSON.stringify({ node: process.version, rounds, rows }, undefined, 2)}\n`)
console.error(`\nresults: ${results}`)
process.exitCode = rows.some(({ verdict }) => verdict === 'missed') ? 1 : 0

async function measureCase(benchCase: BenchCase, inWorld: BenchWorld): Promise<readonly Row[]> {
  try {
    return await benchCase.measure(inWorld)
  } catch (error) {
    console.error(error)
    return [skipped(benchCase.name, '', `it failed: ${String(error).split('\n')[0]}`)]
  }
}
