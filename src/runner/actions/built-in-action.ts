import { homedir } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { Json } from '#core/json.ts'
import { actionInputInvalid } from '#core/known/runner.ts'
import type { MatcherModel } from '#core/matcher/model.ts'
import type { JobOrder, RunnerRequest } from '#core/run/job-order.ts'
import type { DockerAnswer } from '../container/docker.ts'
import type { ToldOptions } from '../container/told-command.ts'
import type { Stop } from '../job-control.ts'
import { STEP_SUCCEEDED, registerPost, useOf } from '../job-run.ts'
import type { JobRun, StepEnd } from '../job-run.ts'
import { runLogged } from '../script-step.ts'
import type { StepCall } from '../script-step.ts'
import { makeCollector } from '../step-collector.ts'
import type { ProcessPlan } from '../step-process.ts'
import { machineEnvironment, stepPath } from '../step-environment.ts'

/** An action that the runner carries out itself. It throws a `KnownError` to fail its step. */
export interface BuiltInAction {
  readonly name: string
  /** Inputs with their defaults; undefined means empty. */
  readonly inputs: Readonly<Record<string, string | undefined>>
  run(context: ActionContext): Promise<void>
  /** What it does when all steps of the job have ended, the last action first; shown as the step "Post …". */
  post?(context: ActionContext): Promise<void>
  /** Condition of `post`; `always()` without. */
  readonly postIf?: string
}

/** What a built-in action works with. */
export interface ActionContext {
  /** Name of the action, for what it says. */
  readonly action: string
  /** Whether the steps of the job run in a container: what is on this machine is not theirs. */
  readonly isInContainer: boolean
  /** The system of the steps, as GitHub calls it (`runner.os`). */
  readonly system: string
  /** PATH of the step. */
  readonly path: string
  readonly order: JobOrder
  readonly inputs: ActionInputs
  /** What `run` leaves to `post` of the same step. */
  readonly state: Record<string, string>
  /** Folder for files that nobody else sees, removed with the job. */
  readonly temp: string
  /** The home folder of the steps, on this machine. */
  readonly home: string
  /** A path that the step named, on this machine; and one of this machine, as steps see it (`StepHost`). */
  outside(path: string): string
  inside(path: string): string
  /** Milliseconds since 1970. */
  readonly now: () => number
  print(lines: readonly string[]): void
  warn(message: string): void
  setOutput(name: string, value: string): void
  /** A variable of the step. */
  variable(name: string): string | undefined
  /** As GITHUB_ENV and GITHUB_PATH: for the steps that follow. */
  setVariable(name: string, value: string): void
  addPath(folder: string): void
  /** Searches the output of the steps that follow for problems. */
  addMatchers(matchers: readonly MatcherModel[]): void
  /** The path of a program of this machine; undefined when it is not installed. */
  findProgram(name: string): string | undefined
  /** Runs a program with its output in the log; true when it returned 0. */
  runProgram(argv: readonly string[], cwd: string): Promise<boolean>
  /** What a program prints, without its line end; undefined when it fails. Its errors go nowhere. */
  captureProgram(argv: readonly string[], cwd: string): Promise<string | undefined>
  /**
   * The docker program of the step, with the step's own connection (DOCKER_HOST, DOCKER_CONFIG): what `run: docker …` would
   * talk to. Throws DOCKER_MISSING, DOCKER_UNREACHABLE.
   */
  openDocker(): Promise<StepDocker>
  /** From one try to reach somebody to the next; longer after each. */
  pause(attempt: number): Promise<void>
  /** Asks the agent; its progress goes to the log. */
  request(request: RunnerRequest): Promise<Json>
  /** Runs work of the action's own that stops when its step is stopped. */
  stoppable<T>(run: (stop: Stop) => Promise<T>): Promise<T>
}

/** Docker, as an action uses it. */
export interface StepDocker {
  readonly env: Readonly<Record<string, string>>
  /** A question: what docker says is read, and not shown. `input` comes to it by standard input. */
  ask(
    args: readonly string[],
    options?: { readonly env?: Readonly<Record<string, string>>; readonly input?: string },
  ): Promise<DockerAnswer>
  /** Work: what docker says is in the log, and nothing in it is a workflow command. Its end comes back masked. */
  tell(args: readonly string[], options?: ToldOptions): Promise<{ readonly exitCode: number; readonly tail: string }>
}

/** The `with:` of a step, with defaults. */
export class ActionInputs {
  readonly #action: string
  readonly #values: ReadonlyMap<string, string>

  constructor(action: BuiltInAction, given: Readonly<Record<string, string>>) {
    this.#action = action.name
    const defaults = Object.entries(action.inputs).map(([name, value]) => [name, value ?? ''] as const)
    const values = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const)
    this.#values = new Map([...defaults, ...values.filter(([, value]) => value !== '')])
  }

  /** Trimmed, as GitHub's toolkit does. */
  text(name: string): string {
    return (this.#values.get(name) ?? '').trim()
  }

  boolean(name: string): boolean {
    const value = this.text(name).toLowerCase()
    if (value === 'true') return true
    if (value === 'false' || value === '') return false
    throw actionInputInvalid({ action: this.#action, input: name, value, expected: 'true or false' })
  }

  integer(name: string): number {
    const value = this.text(name)
    if (/^\d{1,9}$/.test(value)) return Number(value)
    throw actionInputInvalid({ action: this.#action, input: name, value, expected: 'a whole number from 0' })
  }

  choice<Value extends string>(name: string, allowed: readonly Value[]): Value {
    const value = this.text(name)
    const found = allowed.find((candidate) => candidate === value)
    if (found !== undefined) return found
    throw actionInputInvalid({ action: this.#action, input: name, value, expected: allowed.join(', ') })
  }
}

/** Runs a built-in action as a step. */
export async function runBuiltInAction(
  job: JobRun,
  call: StepCall,
  action: BuiltInAction,
  given: Readonly<Record<string, string>>,
): Promise<StepEnd> {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(action.inputs, name.toLowerCase()))
  if (unknown.length > 0 && job.stage === 'main') {
    job.announce('warning', `Unexpected input(s) ${unknown.map((name) => `'${name}'`).join(', ')} of ${action.name}`)
  }
  const context = contextOf(job, call, action.name, new ActionInputs(action, given))
  if (job.stage === 'post') await action.post?.(context)
  else {
    if (action.post !== undefined) registerPost(call.frame, call.step, action.postIf ?? 'always()')
    await action.run(context)
  }
  return STEP_SUCCEEDED
}

function contextOf(job: JobRun, call: StepCall, action: string, inputs: ActionInputs): ActionContext {
  return {
    action,
    isInContainer: job.host.kind === 'container',
    system: String(job.runner['os']),
    path: stepPath(job, call.env),
    order: job.order,
    inputs,
    state: useOf(call.frame, call.step).state,
    temp: job.order.paths.temp,
    home: job.host.outside(job.host.baseEnv['HOME'] ?? homedir()),
    outside: (path) => job.host.outside(path),
    inside: (path) => job.host.inside(path),
    now: () => job.world.now(),
    print: (lines) => job.print(lines),
    warn: (message) => job.announce('warning', message),
    setOutput: (name, value) => (call.outputs[name] = value),
    variable: (name) => call.env[name],
    setVariable: (name, value) => (job.env[name] = value),
    addPath: (folder) => job.addPath(folder),
    addMatchers: (matchers) => job.matchers.add(matchers),
    findProgram: (name) => findMachineProgram(job, call, name),
    runProgram: (argv, cwd) => runProgram(job, call, argv, cwd),
    captureProgram: (argv, cwd) => captureProgram(job, call, argv, cwd),
    openDocker: () => openStepDocker(job, call),
    pause: (attempt) =>
      job.control.stoppable(async (stop) => {
        await delay(job.world.timings.pullRetryMs * attempt, undefined, { signal: stop.signal }).catch(() => {})
        stop.check()
      }),
    request: (request) =>
      job.control.stoppable((stop) => job.world.channel.request(job.tag, request, (line) => job.print([line]), stop)),
    stoppable: (run) => job.control.stoppable(run),
  }
}

/** Proxies count where the program itself asks a registry, as BuildKit's part of it does. */
const proxyNames = /^(?:https?|no|all)_proxy$/i

async function openStepDocker(job: JobRun, call: StepCall): Promise<StepDocker> {
  const [{ Docker }, { tellDocker }] = await Promise.all([
    import('../container/docker.ts'),
    import('../container/told-command.ts'),
  ])
  const variables = machineEnvironment(job, call.frame, call.env, call.step.id)
  const { DOCKER_CONFIG: config } = variables
  // A login of the job names its folder as the steps see it, in their container.
  if (config !== undefined) variables['DOCKER_CONFIG'] = job.host.outside(config)
  const docker = await job.control.stoppable((stop) => Docker.open(variables, stop))
  const proxies = Object.fromEntries(Object.entries(variables).filter(([name]) => proxyNames.test(name)))
  return {
    env: docker.env,
    ask: (args, options = {}) =>
      job.control.stoppable((stop) => docker.ask(args, { ...options, env: { ...proxies, ...options.env }, stop })),
    tell: (args, options = {}) => tellDocker(job, docker, args, { ...options, env: { ...proxies, ...options.env } }),
  }
}

function findMachineProgram(job: JobRun, call: StepCall, name: string): string | undefined {
  const env = machineEnvironment(job, call.frame, call.env, call.step.id)
  return job.machine.findProgram(name, env['PATH'] ?? '', job.order.paths.workspace)
}

async function runProgram(job: JobRun, call: StepCall, argv: readonly string[], cwd: string): Promise<boolean> {
  return (await runLogged(job, planProgram(job, call, argv, cwd), makeCollector({}), job.machine)) === 0
}

async function captureProgram(
  job: JobRun,
  call: StepCall,
  argv: readonly string[],
  cwd: string,
): Promise<string | undefined> {
  const chunks: Buffer[] = []
  const sink = { onOut: (chunk: Buffer) => chunks.push(Buffer.from(chunk)), onErr: () => {} }
  const plan = planProgram(job, call, argv, cwd)
  const exitCode = await job.control.stoppable((stop) => job.machine.run(plan, sink, job.world, stop))
  return exitCode === 0 ? Buffer.concat(chunks).toString('utf8').trimEnd() : undefined
}

function planProgram(job: JobRun, call: StepCall, argv: readonly string[], cwd: string): ProcessPlan {
  const [name = '', ...args] = argv
  const env = machineEnvironment(job, call.frame, call.env, call.step.id)
  const program = job.machine.findProgram(name, env['PATH'] ?? '', cwd) ?? name
  return { argv: [program, ...args], cwd, env }
}
