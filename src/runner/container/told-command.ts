import type { CommandAnswer } from '#core/step/command-session.ts'
import type { JobRun } from '../job-run.ts'
import { StepOutput } from '../step-output.ts'
import type { Docker } from './docker.ts'

/** Last bytes of an output that are kept to say why a command failed. */
const TAIL_BYTES = 4 * 1024

export interface ToldOptions {
  /** Variables of the docker program besides those of the connection. */
  readonly env?: Readonly<Record<string, string>>
  /** Hears what it prints, in pieces that end anywhere. */
  readonly onText?: (text: string) => void
}

/**
 * Runs a docker command that may take long, with its output in the log as it comes. Nothing in it is a workflow command: what
 * a registry or a Dockerfile prints is not the step's word. Returns the end of the output, masked.
 */
export async function tellDocker(
  job: JobRun,
  docker: Docker,
  args: readonly string[],
  options: ToldOptions = {},
): Promise<{ readonly exitCode: number; readonly tail: string }> {
  const { redactor, stepNumber } = job
  const accept = (): CommandAnswer => ({ kind: 'text' })
  let tail = Buffer.alloc(0)
  const keep = (chunk: Buffer) => (tail = Buffer.concat([tail, chunk]).subarray(-TAIL_BYTES))
  const out = new StepOutput({ redactor, accept, write: (lines) => job.log.write(lines, stepNumber, 'out') })
  const err = new StepOutput({ redactor, accept, write: (lines) => job.log.write(lines, stepNumber, 'err') })
  const take = (output: StepOutput) => (chunk: Buffer) => {
    options.onText?.(chunk.toString('utf8'))
    output.push(chunk)
    keep(chunk)
  }
  const sink = { onOut: take(out), onErr: take(err) }
  const plan = { argv: [docker.program, ...args], cwd: '/', env: { ...docker.env, ...options.env } }
  const exitCode = await job.control.stoppable((stop) => job.machine.run(plan, sink, job.world, stop))
  out.end()
  err.end()
  return { exitCode, tail: redactor.redact(tail.toString('utf8')) }
}
