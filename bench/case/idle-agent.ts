import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchCase } from '../bench-case.ts'
import { residentMiB } from '../process-memory.ts'
import { skipped } from '../row.ts'

const what = 'resident memory of an idle agent'
const bar = '≤ 80 MiB'
const settleMs = 3_000

/** An agent with an empty home, after it has settled. */
export const idleAgent: BenchCase = {
  name: 'idle-agent',
  measure: async (world) => {
    const home = join(world.folder, 'agent-home')
    await mkdir(home)
    const child = spawn(world.shipway, ['agent', '--home', home], {
      cwd: world.folder,
      env: world.env,
      stdio: 'ignore',
    })
    try {
      const ended = once(child, 'exit').then(([code]) => `\`shipway agent\` ended with ${String(code)}`)
      const early = await Promise.race([ended, delay(settleMs).then(() => undefined)])
      if (early !== undefined) return [skipped(what, bar, early)]
      if ((await readdir(home)).length === 0) return [skipped(what, bar, 'the agent has not opened its home')]

      const resident = residentMiB(child.pid!, 'now')!
      const verdict = resident <= 80 ? 'met' : 'missed'
      return [
        {
          what,
          ours: `${resident.toFixed(0)} MiB`,
          reference: '',
          measured: `${resident.toFixed(0)} MiB`,
          bar,
          verdict,
        },
      ]
    } finally {
      child.kill('SIGTERM')
    }
  },
}
