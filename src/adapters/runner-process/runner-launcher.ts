import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { RunnerMessage } from '#core/run/job-order.ts'
import type { RunnerLauncher } from '#ports/runner-pool.ts'
import { isAlive, markOf } from './process-mark.ts'
import type { ProcessMark } from './process-mark.ts'
import { startRunner } from './spare-runner.ts'
import type { RunnerProgram, SpareRunner } from './spare-runner.ts'

export interface RunnerLaunch {
  readonly program: RunnerProgram
  /** Taken for the first runner, where one was started ahead. */
  readonly spare?: SpareRunner
  /** Folder that holds a mark of each living runner, for an agent that comes after a crash. */
  readonly marks: string
}

/** Longest line that a runner sends: the outputs of a job fit many times. Bytes. */
const lineBytesMax = 64 * 1024 * 1024

/** Starts runners as children with a pipe each way, one JSON document per line. */
export function runnerLauncher(launch: RunnerLaunch): RunnerLauncher {
  return {
    launch(events) {
      const child = launch.spare?.take() ?? startRunner(launch.program)
      let lastWords = ''
      let failure: string | undefined
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        lastWords = (lastWords + text).slice(-2000)
      })
      child.stdin.on('error', () => undefined)
      // Whoever has got hold of the pipe, a step of the same user too, must not fill the memory of the agent.
      watchLineLength(child.stdout, () => {
        failure ??= `the runner sent a line of more than ${lineBytesMax} bytes`
        child.kill('SIGKILL')
        child.stdout.destroy()
      })
      createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
        const message = parseMessage(line)
        if (message !== undefined) return events.onMessage(message)
        // The last line of a runner that was killed; and a runner that says anything else is not to be trusted.
        failure ??= 'the runner sent a line that is no message'
        child.kill('SIGKILL')
      })
      child.on('error', (error) => {
        failure = error.message
        if (child.pid === undefined) events.onExit(`the runner could not be started: ${error.message}`)
      })
      child.on('close', (code, signal) => {
        const how = signal === null ? `exit status ${code}` : `signal ${signal}`
        events.onExit(failure ?? `the runner ended with ${how}${lastWords === '' ? '' : `: ${lastWords.trim()}`}`)
      })
      const forget = remember(launch.marks, child.pid)
      child.on('close', forget)
      return {
        send: (message) => {
          child.stdin.write(`${JSON.stringify(message)}\n`)
        },
        kill: () => {
          child.kill('SIGKILL')
        },
      }
    },
    killLeftovers() {
      for (const file of markFiles(launch.marks)) {
        const mark = readMark(file)
        if (mark !== undefined && mark.pid > 1 && isAlive(mark)) killIfThere(mark.pid)
        rmSync(file, { force: true })
      }
    },
  }
}

/** It may end between the look and the kill, and that is what was wanted. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function parseMessage(line: string): RunnerMessage | undefined {
  try {
    return JSON.parse(line) as RunnerMessage
  } catch {
    return undefined
  }
}

function watchLineLength(stream: Readable, onTooLong: () => void): void {
  let length = 0
  stream.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf(0x0a)
    length = end === -1 ? length + chunk.length : chunk.length - end - 1
    if (length > lineBytesMax) onTooLong()
  })
}

/**
 * Writes down that the process lives. No fsync: when the machine goes down, so does the process. Where there is no room for it the runner is not
 * given up: it also ends by itself when its agent is gone.
 */
function remember(folder: string, pid: number | undefined): () => void {
  const mark = pid === undefined ? undefined : markOf(pid)
  if (mark === undefined) return () => undefined
  const file = path.join(folder, `${mark.pid}.json`)
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(file, JSON.stringify(mark), { mode: 0o600 })
  } catch {
    rmSync(file, { force: true })
  }
  return () => rmSync(file, { force: true })
}

/** Undefined for a file that was cut while it was written. */
function readMark(file: string): ProcessMark | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessMark
  } catch {
    return undefined
  }
}

function markFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => path.join(folder, name))
}
