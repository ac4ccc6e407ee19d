import { spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { passVariables } from '#core/container/docker-argv.ts'
import { dockerMissing, dockerUnreachable } from '#core/known/container.ts'
import type { Stop } from '../job-control.ts'
import { findProgram } from '../find-program.ts'

/** What a docker command said. */
export interface DockerAnswer {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** How long a question to the engine may take: it answers in milliseconds, or it hangs. */
const QUESTION_MS = 60_000
/** Most that is read of an answer. */
const ANSWER_BYTES_MAX = 16 * 1024 * 1024

/** Variables of the agent that say where the engine is and how to talk to it. Steps never change them. */
const connectionNames = /^(?:PATH|HOME|DOCKER_\w+|SSH_AUTH_SOCK|XDG_(?:CONFIG_HOME|RUNTIME_DIR))$/

/**
 * The docker program. It knows contexts, TLS, ssh, rootless engines and credential helpers, so the runner does not; the price
 * is a process for each question, a hundredth of a second.
 */
export class Docker {
  readonly program: string
  /** Environment of the program itself: the agent's connection, nothing of the workflow. */
  readonly env: Readonly<Record<string, string>>

  private constructor(program: string, env: Readonly<Record<string, string>>) {
    this.program = program
    this.env = env
  }

  /** Finds the program, and asks the engine for its version. */
  static async open(environment: Readonly<Record<string, string | undefined>>, stop: Stop): Promise<Docker> {
    const path = environment['PATH'] ?? ''
    const program = findProgram('docker', path, '/')
    if (program === undefined) throw dockerMissing({ path })
    const docker = new Docker(program, connectionEnvironment(environment))
    const answer = await docker.ask(['version', '--format', '{{.Server.Version}}'], { stop })
    if (answer.exitCode !== 0) throw dockerUnreachable({ problem: answer.stderr })
    return docker
  }

  /** Runs a command and returns what it says, whatever its exit code. Throws `Stopped` when it was stopped. */
  async ask(
    args: readonly string[],
    options: { readonly stop?: Stop; readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
  ): Promise<DockerAnswer> {
    const signal = AbortSignal.any([
      AbortSignal.timeout(QUESTION_MS),
      ...(options.stop === undefined ? [] : [options.stop.signal]),
    ])
    const child = spawn(this.program, args, {
      env: { ...options.env, ...this.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    })
    child.stdin.on('error', () => {})
    child.stdin.end(options.input ?? '')
    const out = collect(child.stdout)
    const err = collect(child.stderr)
    const exitCode = await new Promise<number>((resolve) => {
      child.once('error', () => resolve(-1))
      child.once('close', (code) => resolve(code ?? -1))
    })
    options.stop?.check()
    const late = signal.aborted ? `docker ${args[0] ?? ''} did not end within ${QUESTION_MS / 1000} seconds.\n` : ''
    return { exitCode, stdout: out(), stderr: late + err() }
  }

  /**
   * Arguments and environment that give a process in a container its variables. A file that it needs lies at `file` until
   * `done` is called, for its owner alone.
   */
  pass(
    variables: Readonly<Record<string, string>>,
    file: string,
  ): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>>; done(): void } {
    const passed = passVariables(variables)
    const env = { ...passed.env, ...this.env }
    if (passed.fileLines.length === 0) return { args: passed.args, env, done: () => {} }
    writeFileSync(file, `${passed.fileLines.join('\n')}\n`, { mode: 0o600 })
    return { args: ['--env-file', file, ...passed.args], env, done: () => rmSync(file, { force: true }) }
  }
}

/** What a watchdog or a docker program needs to reach the same engine. */
export function connectionEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const env: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && connectionNames.test(name)) env[name] = value
  }
  return env
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= ANSWER_BYTES_MAX) chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString('utf8').trimEnd()
}
