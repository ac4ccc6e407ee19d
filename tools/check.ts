/*
 * `npm run check`: format, types, lint and dead code, in this order, all of them even when one is red. A checker that looked
 * at nothing is red too: a wrong glob or a broken parser must not pass for a clean tree.
 */
import { spawn } from 'node:child_process'
import { performance } from 'node:perf_hooks'
import { styleText } from 'node:util'
import { type Check, judge, type Verdict } from './check-verdict.ts'

const checks: readonly Check[] = [
  { name: 'format', argv: ['oxfmt', '--check', '.'], looked: /on (\d+) files/ },
  {
    name: 'types',
    argv: ['tsc', '--noEmit', '--diagnostics'],
    looked: /^Files: +(\d+)/m,
    chatter: /^[A-Z][\w ]+: +[\d.]+[sK]?\n/gm,
  },
  { name: 'lint', argv: ['oxlint'], looked: /on (\d+) files/ },
  {
    name: 'dead code',
    argv: ['knip', '--treat-config-hints-as-errors', '--reporter', 'symbols', '--reporter', './tools/knip-count.ts'],
    looked: /^Looked at (\d+) files/m,
  },
]

const started = performance.now()
const verdicts: Verdict[] = []
for (const check of checks) verdicts.push(await perform(check))

const red = verdicts.filter(({ problem }) => problem !== undefined)
const total = seconds(performance.now() - started)
if (red.length === 0) {
  console.log(`\n${mark('green', '✓')} all ${checks.length} checks are green (${total})`)
} else {
  console.log(
    `\n${mark('red', '✗')} ${red.map(({ name }) => name).join(', ')} of ${checks.length} checks red (${total})`,
  )
  process.exitCode = 1
}

async function perform(check: Check): Promise<Verdict> {
  const start = performance.now()
  console.log(`\n${mark('bold', `── ${check.name}`)} (${check.argv.join(' ')})`)
  const verdict = judge(check, await run(check.argv))
  if (verdict.output !== '') console.log(verdict.output)
  const sign = verdict.problem === undefined ? mark('green', '✓') : mark('red', '✗')
  console.log(
    `${sign} ${check.name}: ${verdict.problem ?? `${verdict.files} files`} (${seconds(performance.now() - start)})`,
  )
  return verdict
}

function run([file = '', ...args]: readonly string[]): Promise<{
  readonly code: number | string
  readonly text: string
}> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}) }
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const chunks: Buffer[] = []
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.on('error', (error) => resolve({ code: 'not started', text: String(error) }))
    child.on('close', (code, signal) =>
      resolve({ code: code ?? signal ?? 'unknown', text: Buffer.concat(chunks).toString() }),
    )
  })
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`
}

function mark(style: 'red' | 'green' | 'bold', text: string): string {
  return styleText(style, text, { stream: process.stdout })
}
