import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MessagePort, Worker } from 'node:worker_threads'
import type { MatcherModel } from '#core/matcher/model.ts'
import { cell } from './conversation.ts'
import type { Found, Question } from './conversation.ts'

/** What a question led to: an answer, or the matcher and the line on which its expression did not end. */
export type ScanResult =
  | { readonly kind: 'found'; readonly found: readonly Found[] }
  | { readonly kind: 'stuck'; readonly matcher: number; readonly line: number }
  /** The thread does not start, so nothing can be searched. */
  | { readonly kind: 'dead' }

/** How long a thread may take to start, on the busiest machine. */
const startPatienceMs = 30_000

/**
 * A thread that tries expressions, so that one which takes for ever can be stopped: nothing else ends a regular expression of JavaScript. The runner waits
 * for its answers, so that what is found stands in the log where it was printed.
 */
export class MatcherWorker {
  readonly #memory = new Int32Array(new SharedArrayBuffer(5 * Int32Array.BYTES_PER_ELEMENT))
  readonly #port: MessagePort
  readonly #worker: Worker
  #asked = 0

  constructor(models: readonly MatcherModel[]) {
    const { MessageChannel, Worker } = threads()
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    this.#worker = new Worker(workerProgram(), {
      // Flags of the runner's own start, `--input-type` for one, are not for a file.
      execArgv: [],
      env: {},
      workerData: { port: port2, memory: this.#memory },
      transferList: [port2],
      stdin: false,
    })
    this.#worker.unref()
    this.#worker.on('error', () => {})
    port1.unref()
    this.#ask({ kind: 'matchers', matchers: models })
  }

  /** Tries all matchers on lines of one stream. `patienceMs` is the time for one expression on one line. */
  scan(stream: string, lines: readonly string[], patienceMs: number): ScanResult {
    this.#ask({ kind: 'scan', stream, lines })
    let tick = -1
    let waitedMs = 0
    while (Atomics.load(this.#memory, cell.answered) < this.#asked) {
      const answered = Atomics.load(this.#memory, cell.answered)
      if (answered >= this.#asked) break
      const outcome = Atomics.wait(this.#memory, cell.answered, answered, patienceMs)
      if (outcome !== 'timed-out') continue
      const now = Atomics.load(this.#memory, cell.tick)
      // Questions that are still in the queue are no expression that hangs.
      if (now === tick && answered === this.#asked - 1) {
        return {
          kind: 'stuck',
          matcher: Atomics.load(this.#memory, cell.matcher),
          line: Atomics.load(this.#memory, cell.line),
        }
      }
      tick = now
      waitedMs += patienceMs
      if (now === 0 && waitedMs >= startPatienceMs) return { kind: 'dead' }
    }
    return { kind: 'found', found: this.#lastAnswer() }
  }

  end(): void {
    this.#port.close()
    void this.#worker.terminate()
  }

  #ask(question: Question): void {
    this.#port.postMessage(question, [])
    this.#asked += 1
    Atomics.store(this.#memory, cell.asked, this.#asked)
    Atomics.notify(this.#memory, cell.asked)
  }

  #lastAnswer(): readonly Found[] {
    const { receiveMessageOnPort } = threads()
    let last: readonly Found[] = []
    for (let next = receiveMessageOnPort(this.#port); next !== undefined; next = receiveMessageOnPort(this.#port)) {
      last = next.message as readonly Found[]
    }
    return last
  }
}

/** Taken when a step brings the first matcher: what Node has for threads would be loaded by every runner. */
function threads(): typeof import('node:worker_threads') {
  return process.getBuiltinModule('node:worker_threads')
}

/** The program of the thread: its source, or its bundle in an installed package. */
function workerProgram(): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const bundled = join(here, 'matcher.js')
  return existsSync(bundled) ? bundled : join(here, '../../main/matcher.ts')
}
