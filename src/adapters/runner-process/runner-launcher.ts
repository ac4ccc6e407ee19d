import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { RunnerMessage } from '#core/run/job-order.ts'
import type { RunnerLauncher } from '#ports/runner-pool.ts'
import { isAlive, markOf } from './process-mark.ts'

export interface RunnerLaunch {
  /** Path of the Node that runs the runner. */
  readonly node: string
  /** Flags of that Node and the entry file. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Starts runners as children with a pipe each way, one JSON document per line. A runner leads a session of its own, so that Ctrl-C on
 * the terminal reaches the agent only, which then cancels in order.
 */
export function runnerLauncher(launch: RunnerLaunch): RunnerLauncher {
  return {
    launch(events) {
      const child = spawn(launch.node, [...launch.args], {
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
        env: launch.env,
      })
      let lastWords = ''
      let failure: string | undefined
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        lastWords = (lastWords + text).slice(-2000)
      })
      child.stdin.on('error', () => undefined)
      createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
        events.onMessage(JSON.parse(line) as RunnerMessage)
      })
      child.on('error', (error) => {
        failure = error.message
        if (child.pid === undefined) events.onExit(`the runner could not be started: ${error.message}`)
      })
      child.on('close', (code, signal) => {
        const how = signal === null ? `exit status ${code}` : `signal ${signal}`
        events.onExit(failure ?? `the runner ended with ${how}${lastWords === '' ? '' : `: ${lastWords.trim()}`}`)
      })
      const pid = child.pid ?? 0
      return {
        mark: markOf(pid) ?? { bootId: '', pid, startTime: '' },
        send: (message) => {
          child.stdin.write(`${JSON.stringify(message)}\n`)
        },
        kill: () => {
          child.kill('SIGKILL')
        },
      }
    },
    killLeftover(mark) {
      if (mark.pid > 1 && isAlive(mark)) process.kill(mark.pid, 'SIGKILL')
    },
  }
}
