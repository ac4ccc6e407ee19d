import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchCase } from '../bench-case.ts'
import type { BenchWorld } from '../bench-world.ts'
import { measure } from '../compare.ts'
import { commandOf, processTree, residentMiB } from '../process-memory.ts'
import { atMost, milliseconds, type Row } from '../row.ts'
import { repositoryOf, runShipway } from '../work.ts'

const lines = 1_000_000
const printing = (count: number) => `seq -f 'line %.0f of a log that somebody may read one day' ${count}`

/** A step that talks a lot: its time without start and end of the run, and whether memory grows with what it says. */
export const millionLines: BenchCase = {
  name: 'million-lines',
  measure: async (world) => {
    const job = (step: string) => [{ id: 'talk', needs: [], steps: [step] }]
    const silent = await repositoryOf(job('true'), world)
    const tenth = await repositoryOf(job(printing(lines / 10)), world)
    const full = await repositoryOf(job(printing(lines)), world)
    const file = join(world.folder, 'lines.log')
    const [short, long, pipe] = await measure(
      [
        { name: 'silent', run: () => runShipway(silent, world) },
        { name: 'talking', run: () => runShipway(full, world) },
        { name: '`seq | cat > file`', run: () => throughPipe(file, world) },
      ],
      Math.ceil(world.rounds / 2),
    )
    const talk = { ...long!, medianMs: long!.medianMs - short!.medianMs }
    const note = `the whole command: ${milliseconds(long!.medianMs)}`
    const row = atMost(2, 'a step that prints 1,000,000 lines (50 MB)', { ours: talk, reference: pipe! }, note)
    return [row, memoryRow(await peakMiB(tenth, world), await peakMiB(full, world))]
  },
}

async function throughPipe(file: string, world: BenchWorld): Promise<void> {
  await world.run('bash', ['-c', `${printing(lines)} | cat > "$1"`, 'bash', file])
  await rm(file)
}

/** The largest resident size that any of our own processes had during the run; bash and seq are not ours. */
async function peakMiB(repository: string, world: BenchWorld): Promise<number> {
  let peak = 0
  let timer: NodeJS.Timeout | undefined
  const onStart = (pid: number) => {
    timer = setInterval(() => {
      for (const member of processTree(pid)) {
        if (commandOf(member).includes('node')) peak = Math.max(peak, residentMiB(member, 'peak') ?? 0)
      }
    }, 20)
  }
  try {
    await runShipway(repository, world, { onStart })
  } finally {
    clearInterval(timer)
  }
  return peak
}

function memoryRow(tenth: number, full: number): Row {
  const ratio = full / tenth
  return {
    what: 'peak memory of the largest process, 1,000,000 lines against 100,000',
    ours: `${full.toFixed(0)} MiB`,
    reference: `${tenth.toFixed(0)} MiB`,
    measured: `${ratio.toFixed(2)} ×`,
    bar: '≤ 1.25 ×',
    verdict: ratio <= 1.25 ? 'met' : 'missed',
  }
}
