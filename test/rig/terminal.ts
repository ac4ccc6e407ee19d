import { spawn } from 'node:child_process'
import { onTestFailed } from 'vitest'
import { program } from './program.ts'

/** What is typed when the terminal shows something. */
export type Answer = readonly [RegExp, string | (() => void)]

/** A call of the command line on a real terminal, with an answer to each of what it shows. */
export async function onTerminal(
  cwd: string,
  env: Record<string, string | undefined>,
  call: {
    readonly args: readonly string[]
    readonly answers: readonly Answer[]
    readonly before?: string
    readonly after?: string
  },
): Promise<{ readonly status: number | null; readonly output: string }> {
  const words = [program, ...call.args].map((word) => `'${word}'`).join(' ')
  const line = `${call.before ?? ''}${words}${call.after ?? ''}`
  // Debian's `script` has a terminal, and hands on what is typed.
  const child = spawn('script', ['-qefc', line, '/dev/null'], { cwd, env, stdio: ['pipe', 'pipe', 'inherit'] })
  let output = ''
  let from = 0
  const answers = [...call.answers]
  onTestFailed(() => void process.stderr.write(`\n$ ${line}\n${output}\n(open: ${answers.map(String).join(' ')})\n`))
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    for (let [next] = answers; next !== undefined; [next] = answers) {
      const found = next[0].exec(output.slice(from))
      if (found === null) return
      from += found.index + found[0].length
      answers.shift()
      if (typeof next[1] === 'string') child.stdin.write(next[1])
      else next[1]()
    }
  })
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { status, output }
}
