import { spawn } from 'node:child_process'

/** A key that asks somebody (a passphrase, a touch) does not sign a request: it is given up after this time. */
const answerMsMax = 5000
const outputLengthMax = 256 * 1024

export interface CallEnd {
  /** Undefined when the program is missing, was too slow, or something killed it. */
  readonly status: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Runs `git`, `ssh-add` or `ssh-keygen` with an input, without a terminal: nothing can ask for a passphrase. Never throws. */
export async function callProgram(
  program: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly input?: string; readonly cwd?: string },
): Promise<CallEnd> {
  return new Promise((resolve) => {
    const { DISPLAY: _, ...env } = options.env
    const child = spawn(program, args, {
      env: { ...env, SSH_ASKPASS_REQUIRE: 'never', LC_ALL: 'C' },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      timeout: answerMsMax,
      killSignal: 'SIGKILL',
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout = (stdout + text).slice(0, outputLengthMax)))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, outputLengthMax)))
    child.on('error', (error) => resolve({ status: undefined, stdout, stderr: error.message }))
    child.on('close', (status) => resolve({ status: status ?? undefined, stdout, stderr }))
    // A program that ends before it has read its input has its reason, and its status tells.
    child.stdin.on('error', () => undefined).end(options.input ?? '')
  })
}
