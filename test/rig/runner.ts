import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import type { Json, JsonObject } from '#core/json.ts'
import type {
  AgentMessage,
  Annotation,
  JobLeg,
  JobOrder,
  JobResult,
  RunnerMessage,
  RunnerRequest,
  StepReport,
} from '#core/run/job-order.ts'
import { parseLogIndex, readLogPart } from '#core/step/log-index.ts'
import type { LogLine } from '#core/step/log-index.ts'
import type { JobModel, StepModel, Template } from '#core/workflow/model.ts'
import type { RunnerTimings } from '#runner/timings.ts'

/** What a test says about a step; the rest is what most steps have. */
export type TestStep = Partial<Omit<StepModel, 'position'>>

/** What a test says about a job. */
export interface TestJob {
  readonly steps: readonly TestStep[]
  readonly jobKey?: string
  readonly attempt?: number
  readonly outputs?: Readonly<Record<string, Template>>
  readonly env?: Template
  readonly workflowEnv?: Template
  readonly defaults?: JobModel['defaults']
  readonly secrets?: Readonly<Record<string, string>>
  readonly vars?: Readonly<Record<string, string>>
  readonly masks?: readonly string[]
  readonly extraEnv?: Readonly<Record<string, string>>
  readonly leg?: Partial<JobLeg>
  readonly container?: Template
  readonly services?: Template
  readonly cancelTimeoutMinutes?: number
  readonly source?: Partial<JobOrder['source']>
  readonly github?: JsonObject
  readonly paths?: Partial<JobOrder['paths']>
}

/** A job that has ended. */
export interface EndedJob {
  readonly result: JobResult
  /** The last report of each step, "Set up job" first. */
  readonly steps: readonly StepReport[]
  /** Read when it is asked for: a log may be large. */
  readonly log: string
  readonly lines: readonly LogLine[]
  readonly order: JobOrder
}

/** How long a test waits for something that must come. Only a hang reaches it. */
const patienceMs = 120_000

/** An expression in a template. */
export function expr(source: string): Template {
  return { $expr: source }
}

/** A real runner process with pipes to the test, which is its agent. Its files lie in a folder that disposing removes. */
export class RunnerRig implements AsyncDisposable {
  readonly root: string
  readonly messages: RunnerMessage[] = []
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #exited: Promise<void>
  #pending = ''
  #onMessage: () => void = () => {}
  #jobs = 0
  /** What the test, as the agent, answers to a request of a job; undefined: the test does it itself. */
  answer: (request: RunnerRequest) => Json | undefined = () => undefined

  private constructor(root: string, child: ChildProcessByStdio<Writable, Readable, null>) {
    this.root = root
    this.#child = child
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()))
    child.stdin.on('error', () => {})
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#receive(text))
  }

  static start(timings: Partial<RunnerTimings> = {}, env: Readonly<Record<string, string>> = {}): RunnerRig {
    const root = mkdtempSync(join(tmpdir(), 'shipway-rig-'))
    const entry = join(import.meta.dirname, '../../src/runner/main.ts')
    // The compiled code of the test run, without a variable that steps would inherit.
    const compiled = JSON.stringify(process.env['NODE_COMPILE_CACHE'])
    const program =
      `process.getBuiltinModule('node:module').enableCompileCache(${compiled});` +
      `const { runRunner } = await import(${JSON.stringify(entry)});` +
      `await runRunner(process.stdin, process.stdout, { timings: ${JSON.stringify(timings)} }); process.exit(0)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { PATH: process.env['PATH'], HOME: root, TMPDIR: root, ...env },
    })
    return new RunnerRig(root, child)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  send(message: AgentMessage): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`)
  }

  /** The agent is gone. */
  hangUp(): void {
    this.#child.stdin.end()
  }

  /** `kill -9` of the runner. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async exited(): Promise<void> {
    await this.#exited
  }

  /** Starts a job and returns its order. */
  begin(job: TestJob): JobOrder {
    this.#jobs += 1
    const order = orderOf(job, join(this.root, `job${this.#jobs}`), this.root)
    this.send({ type: 'job', order })
    return order
  }

  /** Runs a job to its end. */
  async run(job: TestJob): Promise<EndedJob> {
    return this.ended(this.begin(job))
  }

  async ended(order: JobOrder): Promise<EndedJob> {
    const done = await this.message(
      (message) => message.type === 'done' && message.jobKey === order.jobKey && message.attempt === order.attempt,
    )
    if (done.type !== 'done') throw new Error('unreachable')
    const steps = new Map<number, StepReport>()
    for (const message of this.messages) {
      const isOfJob = (tag: { jobKey: string; attempt: number }): boolean =>
        tag.jobKey === order.jobKey && tag.attempt === order.attempt
      if (message.type === 'step' && isOfJob(message)) steps.set(message.step.number, message.step)
    }
    return {
      result: done.result,
      steps: [...steps.values()],
      order,
      get log() {
        return readIfThere(order.paths.log).toString()
      },
      get lines() {
        const records = parseLogIndex(readIfThere(`${order.paths.log}.idx`).toString())
        return readLogPart(readIfThere(order.paths.log), records, { offset: 0 }).lines
      },
    }
  }

  /** The first message that fits, now or later. */
  async message(fits: (message: RunnerMessage) => boolean): Promise<RunnerMessage> {
    const deadline = AbortSignal.timeout(patienceMs)
    for (;;) {
      const found = this.messages.find(fits)
      if (found !== undefined) return found
      if (deadline.aborted) throw new Error(`The message did not come. Got ${JSON.stringify(this.messages, null, 1)}`)
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#onMessage = resolve
      await Promise.race([promise, setTimeout(patienceMs, undefined, { ref: false })])
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp()
    const late = globalThis.setTimeout(() => this.kill(), patienceMs)
    await this.#exited
    clearTimeout(late)
    // The watchdog outlives its runner by a moment and removes its own folder; removing the same thing twice ends half way.
    await until(
      () => !readdirSync(this.root).some((name) => name.startsWith('shipway-runner-')),
      'the watchdog is gone',
    )
    rmSync(this.root, { recursive: true })
  }

  #receive(text: string): void {
    const lines = (this.#pending + text).split('\n')
    this.#pending = lines.pop() ?? ''
    for (const line of lines) {
      const message = JSON.parse(line) as RunnerMessage
      this.messages.push(message)
      const result = message.type === 'request' ? this.answer(message.request) : undefined
      if (message.type === 'request' && result !== undefined)
        this.send({ type: 'reply', requestId: message.requestId, result })
    }
    this.#onMessage()
  }
}

/** Waits until something is so. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = AbortSignal.timeout(patienceMs)
  while (!condition()) {
    if (deadline.aborted) throw new Error(`It did not happen in time: ${what}`)
    await setTimeout(10)
  }
}

/** Waits until a file has text, and returns it. */
export async function textIn(file: string): Promise<string> {
  await until(() => readIfThere(file).length > 0, `text in ${file}`)
  return readFileSync(file, 'utf8').trim()
}

/** True while the process is there and no zombie. */
export function isRunning(pid: number): boolean {
  const stat = readIfThere(`/proc/${pid}/stat`).toString()
  return stat !== '' && !/\) Z /.test(stat)
}

/** What the steps of a job printed, without the runner's own lines. */
export function printed({ lines }: EndedJob): readonly string[] {
  return lines.filter((line) => line.stream !== 'system').map((line) => line.text)
}

/** The messages of annotations of one level. */
export function messagesOf(annotations: readonly Annotation[], level: Annotation['level']): readonly string[] {
  return annotations.filter((annotation) => annotation.level === level).map((annotation) => annotation.message)
}

function readIfThere(path: string): Buffer {
  if (!existsSync(path)) return Buffer.alloc(0)
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}

/** A complete order for a job whose files lie in `folder`. */
export function orderOf(job: TestJob, folder: string, home: string): JobOrder {
  const position = { line: 1, column: 1 }
  const steps = job.steps.map((step, index) => ({ id: `__run_${index + 1}`, if: 'success()', position, ...step }))
  const run = join(home, 'run')
  return {
    runId: 'run_1',
    jobKey: job.jobKey ?? 'build',
    attempt: job.attempt ?? Number(folder.replace(/^.*job/, '')),
    job: {
      id: 'build',
      needs: [],
      if: 'success()',
      hasIf: false,
      position,
      steps,
      ...(job.outputs === undefined ? {} : { outputs: job.outputs }),
      ...(job.env === undefined ? {} : { env: job.env }),
      ...(job.container === undefined ? {} : { container: job.container }),
      ...(job.services === undefined ? {} : { services: job.services }),
      ...(job.defaults === undefined ? {} : { defaults: job.defaults }),
    },
    leg: {
      index: 0,
      total: 1,
      name: 'build',
      matrix: {},
      runsOn: ['ubuntu-latest'],
      failFast: true,
      maxParallel: 0,
      timeoutMinutes: 360,
      continueOnError: false,
      ...job.leg,
    },
    workflow: {
      name: 'CI',
      file: '.github/workflows/ci.yml',
      ...(job.workflowEnv === undefined ? {} : { env: job.workflowEnv }),
    },
    contexts: {
      github: { event_name: 'push', repository: 'acme/app', event: { after: 'abc' }, ...job.github },
      vars: job.vars ?? {},
      secrets: job.secrets ?? {},
      inputs: {},
      needs: {},
    },
    extraEnv: job.extraEnv ?? {},
    masks: job.masks ?? [],
    source: { repository: '/nowhere', sha: '0'.repeat(40), ref: 'refs/heads/main', ...job.source },
    paths: {
      home,
      programs: join(home, 'no-programs'),
      workspace: join(folder, 'workspace'),
      history: join(folder, 'steps.json'),
      temp: join(folder, 'temp'),
      actions: join(folder, 'actions'),
      toolCache: join(home, 'tools'),
      log: join(run, 'logs', `${folder.replace(/^.*\//, '')}.log`),
      artifacts: join(run, 'artifacts'),
      blobs: join(home, 'blobs'),
      summary: join(folder, 'summary.md'),
      ...job.paths,
    },
    cancelTimeoutMinutes: job.cancelTimeoutMinutes ?? 5,
  }
}
